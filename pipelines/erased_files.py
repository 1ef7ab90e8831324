"""Erasing leads from files: the same file without their rows, or no file where it tells of them."""

import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadlight.features.publication import published_file

_IDS = ("lead_id", "alias")
_TEXTS = ("record", "value", "message")


def erase_from_parquet(path: Path, leads: Collection[str]) -> int:
    """Rewrite a Parquet file without the rows that name leads, one row group at a time.

    Rows are found by ``lead_id`` and ``alias``; in a table of profile changes by ``id`` of the
    entity ``lead``; in a quarantine by what is said in the record.

    Returns
    -------
    int
        Rows erased; the file is left alone where there is none.
    """
    with pq.ParquetFile(path) as file:
        columns = set(file.schema_arrow.names)
        looked_at = [name for name in (*_IDS, "entity", "id", *_TEXTS) if name in columns]
        groups = range(file.num_row_groups)
        rows = sum(
            int(pc.sum(_is_of(file.read_row_group(group, looked_at), leads)).as_py() or 0)
            for group in groups
        )
        if not rows:
            return 0
        with published_file(path) as partial, pq.ParquetWriter(partial, file.schema_arrow) as out:
            for group in groups:
                table = file.read_row_group(group)
                out.write_table(table.filter(pc.invert(_is_of(table, leads))))
    return rows


def erase_from_json(path: Path, leads: Collection[str]) -> int:
    """Rewrite a JSON file without the records that name leads by ``lead_id``.

    Returns
    -------
    int
        Records erased.
    """
    data = json.loads(path.read_text(encoding="utf-8"))
    kept, gone = _without(data, frozenset(leads))
    if gone:
        with published_file(path) as partial:
            partial.write_text(json.dumps(kept, indent=1, ensure_ascii=False), encoding="utf-8")
    return gone


def mentions(path: Path, leads: Collection[str]) -> bool:
    """Say whether a page names a lead, as a word of its own."""
    word = "|".join(map(re.escape, sorted(leads)))
    text = path.read_text(encoding="utf-8", errors="replace")
    return re.search(rf"(?<![\w-])(?:{word})(?![\w-])", text) is not None


def _is_of(table: pa.Table, leads: Collection[str]) -> pa.ChunkedArray:
    ids = pa.array(sorted(leads), pa.string())
    found = [_is_in(table[name], ids) for name in _IDS if name in table.column_names]
    if {"entity", "id"} <= set(table.column_names):
        of_lead = pc.equal(table["entity"], "lead")
        found.append(pc.and_(of_lead, _is_in(table["id"], ids)))
    if "record" in table.column_names:
        found += [_says(table[name], leads) for name in _TEXTS]
    is_of = pa.chunked_array([pa.array([False] * table.num_rows, pa.bool_())])
    for each in found:
        is_of = pc.or_(is_of, pc.fill_null(each, fill_value=False))
    return is_of


def _is_in(column: pa.ChunkedArray, ids: pa.Array) -> pa.ChunkedArray:
    return pc.is_in(column.cast(pa.string()), value_set=ids)


def _says(column: pa.ChunkedArray, leads: Collection[str]) -> pa.ChunkedArray:
    word = "|".join(map(re.escape, sorted(leads)))
    return pc.match_substring_regex(column.cast(pa.string()), rf"(^|[^\w-])({word})($|[^\w-])")


def _without(data: Any, leads: frozenset[str]) -> tuple[Any, int]:
    if isinstance(data, dict):
        parts = {key: _without(value, leads) for key, value in data.items()}
        return {key: kept for key, (kept, _) in parts.items()}, sum(n for _, n in parts.values())
    if isinstance(data, list):
        stays = [not (isinstance(each, dict) and each.get("lead_id") in leads) for each in data]
        kept = [_without(each, leads) for each, stay in zip(data, stays, strict=True) if stay]
        return [each for each, _ in kept], sum(n for _, n in kept) + stays.count(False)
    return data, 0
