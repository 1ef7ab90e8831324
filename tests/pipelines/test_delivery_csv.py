"""Scores as CSV: whatever a CRM holds, a spreadsheet shows it and runs none of it."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from leadlight.pipelines.delivery import write_csv


@pytest.mark.parametrize(
    "hostile", ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1"]
)
def test_a_text_that_a_spreadsheet_would_run_is_shown_instead(tmp_path: Path, hostile: str) -> None:
    path = tmp_path / "scores.csv"
    write_csv(pa.table({"lead_id": [hostile], "reasons_for": [[hostile, "plain"]]}), path)
    with path.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["lead_id"] == "'" + hostile
    assert row["reasons_for"].startswith("'" + hostile)


def test_numbers_times_and_missing_values_stay_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    moment = datetime(2026, 1, 31, 6, tzinfo=UTC)
    write_csv(
        pa.table({"part": [-0.5], "as_of": [moment], "grade": pa.array([None], pa.string())}), path
    )
    assert path.read_bytes() == b"part,as_of,grade\r\n-0.5,2026-01-31T06:00:00+00:00,\r\n"


def test_a_failed_write_leaves_the_earlier_file(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("earlier", encoding="utf-8")

    class Unwritable:
        def __str__(self) -> str:
            raise OSError(28, "No space left on device")

    table = pa.table({"lead_id": ["a"]})
    broken = type("Broken", (), {"column_names": [Unwritable()], "to_batches": table.to_batches})()
    with pytest.raises(OSError, match="No space"):
        write_csv(broken, path)
    assert path.read_text(encoding="utf-8") == "earlier"
    assert list(tmp_path.iterdir()) == [path]
