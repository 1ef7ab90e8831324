"""Files in an object store (``s3://`` and whatever else fsspec opens), read where they lie.

Credentials, region and endpoint are the environment's (for S3: ``AWS_ACCESS_KEY_ID``,
``AWS_PROFILE``, ``AWS_ENDPOINT_URL`` and the like); leadlight neither takes nor shows them.
"""

import gzip
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from leadlight.features.errors import (
    LeadlightError,
    MissingExtraError,
    SourceError,
    did_you_mean,
    disk_is_full,
    says_disk_is_full,
)

_PROTOCOL = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*)://")
_LOGIN = re.compile(r"://[^/]*:[^/]*@")
_NOT_STORES = {"file", "local", "http", "https"}
_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")
_BLOCK = 4 << 20


@dataclass(frozen=True)
class StoredObject:
    """A file in an object store, with as much of a path's manners as sources need.

    Attributes
    ----------
    url : str
        ``"s3://bucket/folder/part-1.parquet"``.
    key : str
        Where the configuration speaks of it, for messages.
    store : fsspec.AbstractFileSystem
    """

    url: str
    key: str = field(compare=False)
    store: Any = field(compare=False, repr=False)

    def __str__(self) -> str:
        return self.url

    @property
    def name(self) -> str:
        """The last part of its URL."""
        return PurePosixPath(self.url).name

    @property
    def suffix(self) -> str:
        """The last ending of its name: ``".gz"``."""
        return PurePosixPath(self.url).suffix

    @property
    def suffixes(self) -> list[str]:
        """All endings of its name: ``[".csv", ".gz"]``."""
        return PurePosixPath(self.url).suffixes

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Read it from its beginning on, some megabytes ahead.

        Raises
        ------
        SourceError
            It is gone, may not be read, or the store does not answer.
        """
        with (
            _store_errors(self.url, self.key),
            self.store.open(self.url, "rb", block_size=_BLOCK, cache_type="readahead") as file,
        ):
            yield cast("BinaryIO", file)

    def download(self, target: Path) -> None:
        """Copy it into a local file.

        Raises
        ------
        SourceError
            It is gone, may not be read, or the store does not answer.
        """
        with _store_errors(self.url, self.key):
            self.store.get_file(self.url, str(target))


TableFile = Path | StoredObject


def is_url(path: str) -> bool:
    """Say whether a source's path is a URL such as ``s3://bucket/leads.parquet``."""
    return _PROTOCOL.match(path) is not None


class ObjectStores:
    """The stores that one run reads from, each opened once, under the environment of then.

    What a store lists is remembered, so a later run that must see new files takes a new one.
    """

    def __init__(self) -> None:
        self._opened: dict[str, Any] = {}

    def find(self, url: str, key: str) -> tuple[StoredObject, ...]:
        """List the objects that a URL or a pattern names, in the order of their names.

        Parameters
        ----------
        url : str
            ``*``, ``?``, ``[`` and ``**`` make it a pattern.
        key : str
            Where the configuration speaks of it.

        Raises
        ------
        SourceError
            Nothing is there, the bucket does not exist, it may not be read, the store does not
            answer, or the URL is not one of a store.
        MissingExtraError
            The package that speaks to this store is not installed.
        """
        protocol = _protocol(url, key)
        if protocol not in self._opened:
            self._opened[protocol] = _open(protocol, url, key)
        store = self._opened[protocol]
        is_pattern = any(mark in url for mark in "*?[")
        with _store_errors(url, key):
            names = [url] if _is_object(store, url, is_pattern=is_pattern) else []
            if is_pattern and not names:
                names = _matching(store, url)
            if not names:
                raise _nothing_there(store, url, key, is_pattern=is_pattern)
        return tuple(StoredObject(str(store.unstrip_protocol(name)), key, store) for name in names)


def _protocol(url: str, key: str) -> str:
    found = _PROTOCOL.match(url)
    protocol = found[1].lower() if found else ""
    if _LOGIN.search(url):
        raise SourceError(
            f"{key}: the URL carries a password.",
            hint="Credentials belong in the environment (AWS_ACCESS_KEY_ID and the like).",
        )
    if protocol in _NOT_STORES:
        raise SourceError(
            f"{key}: {url.partition('?')[0]} is not in an object store.",
            hint="Write a plain path for a local file; download what lies on a web server.",
        )
    return protocol


def _open(protocol: str, url: str, key: str) -> Any:
    try:
        import fsspec  # noqa: PLC0415 -- an extra

        # The engine asks for the very bytes it needs, so a cache that reads ahead reads in vain;
        # a shared instance would keep an earlier run's listing and credentials.
        return fsspec.get_filesystem_class(protocol)(
            default_cache_type="none", skip_instance_cache=True
        )
    except ImportError as error:
        is_ours = protocol in {"s3", "s3a"} or error.name == "fsspec"
        hint = "Install it with  pip install 'leadlight[s3]'" if is_ours else f"{error}."
        raise MissingExtraError(
            f"{key}: reading {protocol}:// needs a package that is not installed.", hint=hint
        ) from error
    except ValueError as error:
        raise SourceError(
            f"{key}: {url}: no store of kind '{protocol}' can be opened: {_reason(error)}.",
            hint="Common kinds are s3://, gs:// and abfs://.",
        ) from error


def _is_object(store: Any, url: str, *, is_pattern: bool) -> bool:
    try:
        return bool(store.info(url)["type"] == "file")
    except FileNotFoundError:
        return False
    except PermissionError:
        # Who may list one folder only is not told that there is no object called ``*.parquet``.
        if is_pattern:
            return False
        raise


def _matching(store: Any, url: str) -> list[str]:
    try:
        found = store.glob(url, detail=True)
    except FileNotFoundError:
        return []
    return sorted(name for name, about in found.items() if about["type"] == "file")


def _nothing_there(store: Any, url: str, key: str, *, is_pattern: bool) -> SourceError:
    bucket = "/".join(url.split("/")[:3])
    if not store.exists(bucket):
        return SourceError(
            f"{key}: {url} not found: there is no bucket {bucket}.",
            hint="Check its name, and the endpoint if the store is not Amazon's own "
            "(AWS_ENDPOINT_URL).",
        )
    if is_pattern:
        return SourceError(
            f"{key}: no files match {url}.",
            hint="`*` stands for any name within one folder, `**` for folders as well.",
        )
    if store.isdir(url):
        return SourceError(
            f"{key}: {url} is a folder.",
            hint=f"To read every file in it, write {key}.path: {url.rstrip('/')}/*.parquet",
        )
    folder = url.rpartition("/")[0]
    try:
        siblings = sorted(PurePosixPath(name).name for name in store.ls(folder, detail=False))
    except FileNotFoundError:
        siblings = []
    listed = ", ".join(siblings[:12]) + (", ..." if len(siblings) > 12 else "")
    return SourceError(
        f"{key}: file {url} not found.{did_you_mean(url.rpartition('/')[2], siblings)}",
        hint=f"In {folder} there is: {listed}." if siblings else f"{folder} has no files.",
    )


@contextmanager
def _store_errors(url: str, key: str) -> Iterator[None]:
    """Say in one line what a store objects to, whichever library speaks to it."""
    try:
        yield
    except (LeadlightError, gzip.BadGzipFile, EOFError, zlib.error, UnicodeError):
        raise  # of the file's content, not of the store
    except FileNotFoundError as error:
        raise SourceError(
            f"{key}: {url} is no longer there: {_reason(error)}.",
            hint="Run again once whatever writes there is done.",
        ) from error
    except PermissionError as error:
        raise SourceError(
            f"{key}: {url} may not be read: {_reason(error)}.",
            hint="The credentials of the environment need the right to list and to read it.",
        ) from error
    except Exception as error:
        if says_disk_is_full(error):
            raise disk_is_full(f"what was read from {url}") from error
        raise SourceError(
            f"{key}: {url} cannot be read: {_reason(error)}.",
            hint="Check the network, the credentials in the environment (AWS_ACCESS_KEY_ID or "
            "AWS_PROFILE) and, for a store of your own, its address (AWS_ENDPOINT_URL).",
        ) from error


def _reason(error: BaseException) -> str:
    text = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
    for name in _SECRETS:
        secret = os.environ.get(name, "")
        # A shorter one, as test servers take, would be found in innocent words.
        text = text.replace(secret, "***") if len(secret) >= 8 else text
    return text.rstrip(".")
