"""Fingerprints: hashes that tell which data and which code a decision version comes from."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from leadlight.features.tables import CanonicalTables


def data_hash(tables: CanonicalTables) -> str:
    """Return the SHA-256 of the canonical tables' bytes, 64 hexadecimal digits."""
    return _hash_files(path for name in sorted(tables.columns) for path in tables.parts(name))


def code_hash() -> str:
    """Return the SHA-256 of leadlight's own modules, 64 hexadecimal digits."""
    rooms = Path(__file__).resolve().parent.parent
    return _hash_files(
        path
        for room in ("features", "models", "pipelines")
        for path in sorted((rooms / room).rglob("*.py"))
    )


def _hash_files(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
