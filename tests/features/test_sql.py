"""Quoting: a name or a path is what it is, whatever characters it holds."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadlight.features.engines import DuckDBEngine
from leadlight.features.sql import identifier, literal, parquet, parquet_parts


@pytest.mark.parametrize("name", ["export[1]", "export?", "export*", "o'hara", "[a-z]"])
def test_a_file_is_read_itself_and_not_one_that_its_name_would_match(
    tmp_path: Path, name: str
) -> None:
    for decoy in ("export1", "exportx", "export", "ohara", "q", "a"):
        pq.write_table(pa.table({"who": ["decoy"]}), tmp_path / f"{decoy}.parquet")
    path = tmp_path / f"{name}.parquet"
    pq.write_table(pa.table({"who": ["itself"]}), path)
    with DuckDBEngine() as engine:
        assert engine.rows(f"SELECT who FROM {parquet(path)}") == [("itself",)]


def test_parts_of_a_folder_are_its_own(tmp_path: Path) -> None:
    for folder, who in (("w[1]", "itself"), ("w1", "decoy")):
        (tmp_path / folder).mkdir()
        pq.write_table(pa.table({"who": [who]}), tmp_path / folder / "part-00000.parquet")
    with DuckDBEngine() as engine:
        found = engine.rows(f"SELECT who FROM {parquet_parts(tmp_path / 'w[1]')}")
    assert found == [("itself",)]


def test_names_and_texts_survive_quoting() -> None:
    with DuckDBEngine() as engine:
        text = 'it\'s "quoted"; DROP TABLE x --'
        assert engine.rows(f"SELECT {literal(text)} AS {identifier(text)}") == [(text,)]
