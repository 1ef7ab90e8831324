"""A door for tests: raw files in a folder, the report and the tables that come out."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from leadlight.features.engines import DuckDBEngine
from leadlight.features.errors import LeadlightError
from leadlight.features.sources import Source
from leadlight.features.validation import DoorReport, RuleCount, admit

NOW = datetime(2024, 7, 1, 12, tzinfo=UTC)
NO_LIMITS = dict.fromkeys(
    (
        "malformed_row",
        "missing_required",
        "unparsable_time",
        "unparsable_number",
        "unparsable_boolean",
        "mixed_time_zones",
        "future_date",
        "duplicated_row",
        "duplicate_key",
        "outcome_before_creation",
    ),
    1.0,
)


@dataclass(frozen=True)
class Door:
    """A folder with raw files, and where the tables and the quarantine go."""

    root: Path

    @property
    def directory(self) -> Path:
        return self.root / "workspace" / "tables"

    @property
    def quarantine(self) -> Path:
        return self.root / "workspace" / "quarantine"

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def write_rows(
        self, name: str, header: Sequence[str], rows: Sequence[Sequence[object]]
    ) -> Path:
        path = self.root / name
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(rows)
        return path

    def parquet(self, name: str, sql: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(f"COPY ({sql}) TO '{path}' (FORMAT parquet)")
        return path

    def source(self, table: str, path: str | Path, **options: Any) -> Source:
        return Source(table, f"sources.{table}", path=str(self.root / path), **options)

    def leads(self, *ids: str, created_at: str = "2024-01-01T00:00:00Z") -> Source:
        """Plain leads, for tests of the tables that refer to them."""
        rows = [(lead, created_at) for lead in ids or ("a", "b", "c")]
        self.write_rows("leads.csv", ("lead_id", "created_at"), rows)
        return self.source("leads", "leads.csv")

    def admit(
        self, *sources: Source, limits: dict[str, float | None] | None = None, **engine: Any
    ) -> DoorReport:
        with DuckDBEngine(**engine) as opened:
            return admit(
                opened,
                sources,
                directory=self.directory,
                quarantine=self.quarantine,
                now=NOW,
                limits={**NO_LIMITS, **(limits or {})},
            )

    def refuse(self, *sources: Source, **limits: float) -> str:
        """Admit under the default limits, which must fail and leave no trace but the quarantine."""
        before = self.files()
        try:
            with DuckDBEngine() as opened:
                admit(
                    opened,
                    sources,
                    directory=self.directory,
                    quarantine=self.quarantine,
                    now=NOW,
                    limits=limits,
                )
        except LeadlightError as error:
            assert self.files() == before, "something was left behind"
            return f"{type(error).__name__}: {error}"
        message = "the sources were admitted"
        raise AssertionError(message)

    def files(self) -> list[str]:
        """Every file but the quarantine's, with its content's length."""
        return sorted(
            f"{path.relative_to(self.root)} {path.stat().st_mtime_ns}"
            for path in self.root.rglob("*")
            if path.is_file() and not path.is_relative_to(self.quarantine)
        )

    def table(self, name: str) -> list[dict[str, Any]]:
        return pq.read_table(
            self.directory / f"{name}{'' if name == 'events' else '.parquet'}"
        ).to_pylist()

    def quarantined(self, table: str) -> list[dict[str, Any]]:
        return pq.read_table(self.quarantine / f"{table}.parquet").to_pylist()


def count_of(report: DoorReport, table: str, rule: str) -> RuleCount:
    found = [count for count in report.counts if (count.table, count.rule) == (table, rule)]
    assert len(found) == 1, f"{table}.{rule} is counted {len(found)} times"
    return found[0]
