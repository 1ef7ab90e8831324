"""A temporary S3 server on this machine, with buckets that a test fills."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import fsspec
from moto.server import ThreadedMotoServer

SECRET = "only-for-this-test's-store"  # noqa: S105


@dataclass(frozen=True)
class ObjectStore:
    """An S3 server that this process's environment points to."""

    address: str
    bucket: str
    client: fsspec.AbstractFileSystem

    def put(self, folder: Path) -> str:
        """Copy a folder into the bucket; return its URL there."""
        url = f"s3://{self.bucket}/{folder.name}"
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.client.put_file(str(path), f"{url}/{path.relative_to(folder).as_posix()}")
        return url


@contextmanager
def running_store(bucket: str = "acme") -> Iterator[ObjectStore]:
    """Start the server, make a bucket, and let the environment name it until the block ends."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    environment = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "tester",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    try:
        with patch.dict(os.environ, environment):
            client = fsspec.filesystem("s3", skip_instance_cache=True)
            client.mkdir(bucket)
            yield ObjectStore(address, bucket, client)
    finally:
        server.stop()
