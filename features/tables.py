"""The canonical tables: the only shapes of data that the rest of leadlight knows."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Self

import pyarrow.parquet as pq

from .sql import parquet_files

ColumnType = Literal["text", "time", "number", "boolean"]


@dataclass(frozen=True)
class Column:
    """One canonical column.

    Attributes
    ----------
    name : str
    type : {"text", "time", "number", "boolean"}
        A time is stored as UTC; an id is text.
    meaning : str
        What it says of the world, for people who map their columns.
    required : bool
        Whether each row must have it.
    """

    name: str
    type: ColumnType
    meaning: str
    required: bool = False


@dataclass(frozen=True)
class Table:
    """A canonical table.

    Attributes
    ----------
    name : str
    columns : tuple of Column
    key : tuple of str
        Columns that together name a row once; empty for events, and for outcomes, where it
        depends on the columns that the source has (see `row_key`).
    either : tuple of str
        Columns of which each row must have one.
    takes_more : bool
        Whether further columns of the source come along as profile columns.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    takes_more: bool = False

    def row_key(self, columns: Collection[str]) -> tuple[str, ...]:
        """Columns that name a row of this table once, given the columns that its sources map.

        An outcome is a deal of a lead: a deal with several contacts is one row for each, and
        without deal ids a lead's deals are told apart by when they closed.
        """
        if self.name != "outcomes":
            return self.key
        deal = "deal_id" if "deal_id" in columns else "closed_at"
        return (deal, *(name for name in self.either if name in columns))

    def column(self, name: str) -> Column:
        """Return a column by name.

        Raises
        ------
        KeyError
            The table has no such canonical column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the canonical columns, in order."""
        return tuple(column.name for column in self.columns)


_ALL = (
    Table(
        "leads",
        (
            Column("lead_id", "text", "the lead's id in the CRM", required=True),
            Column("created_at", "time", "when the person became a lead"),
            Column("account_id", "text", "the company the lead belongs to"),
            Column(
                "email", "text", "e-mail address; used for its domain, never stored with scores"
            ),
            Column("job_title", "text", "role in the company"),
            Column("source", "text", "where the lead came from"),
            Column("country", "text", "country of the lead"),
            Column("owner", "text", "the salesperson in charge"),
            Column("converted", "boolean", "flat tables only: the label, from the source's `won`"),
            Column("position", "number", "flat tables only: order in time, from `order_by`"),
        ),
        key=("lead_id",),
        takes_more=True,
    ),
    Table(
        "accounts",
        (
            Column("account_id", "text", "the company's id in the CRM", required=True),
            Column("industry", "text", "line of business"),
            Column("employees", "number", "number of people"),
            Column("revenue", "number", "yearly revenue in the company's currency"),
            Column("country", "text", "country of the company"),
        ),
        key=("account_id",),
        takes_more=True,
    ),
    Table(
        "events",
        (
            Column("lead_id", "text", "who did it; or an alias in `identities`"),
            Column("account_id", "text", "instead of lead_id: an event of the whole company"),
            Column("occurred_at", "time", "when it happened", required=True),
            Column("event_type", "text", "what happened: page_view, email_click", required=True),
            Column("recorded_at", "time", "when it became known, if later"),
            Column("detail", "text", "URL, asset or campaign"),
            Column("value", "number", "an amount that belongs to the event"),
        ),
        either=("lead_id", "account_id"),
    ),
    Table(
        "outcomes",
        (
            Column("deal_id", "text", "the deal's id in the CRM"),
            Column("lead_id", "text", "the deal's contact"),
            Column("account_id", "text", "instead of lead_id: a deal of the whole company"),
            Column("closed_at", "time", "when it was won or lost; empty while the deal is open"),
            Column("won", "boolean", "whether it was won", required=True),
            Column("opened_at", "time", "when sales took it up"),
            Column("amount", "number", "value of the deal in `currency`"),
            Column("currency", "text", "ISO 4217 code of `amount`"),
            Column("stage", "text", "the CRM's own name of the stage"),
        ),
        either=("lead_id", "account_id"),
    ),
    Table(
        "feedback",
        (
            Column("lead_id", "text", "the MQL that sales judged", required=True),
            Column("decided_at", "time", "when sales judged it", required=True),
            Column("accepted", "boolean", "whether sales accepted it", required=True),
            Column("reason", "text", "why"),
        ),
        key=("lead_id", "decided_at"),
    ),
    Table(
        "profile_history",
        (
            Column("entity", "text", "lead or account", required=True),
            Column("id", "text", "its id", required=True),
            Column("field", "text", "which column changed", required=True),
            Column("changed_at", "time", "when", required=True),
            Column("new_value", "text", "the value from then on"),
            Column("old_value", "text", "the value until then"),
        ),
        key=("entity", "id", "field", "changed_at"),
    ),
    Table(
        "identities",
        (
            Column("alias", "text", "anonymous visitor id or merged contact", required=True),
            Column("linked_at", "time", "when the alias became known as the lead", required=True),
            Column("lead_id", "text", "whose events they are from then on", required=True),
        ),
        key=("alias", "linked_at"),
    ),
)

TABLES: Mapping[str, Table] = MappingProxyType({table.name: table for table in _ALL})


@dataclass(frozen=True)
class CanonicalTables:
    """Validated tables in one folder, one Parquet file each; events may lie in several.

    Times are ``timestamp[us, tz=UTC]``, ids text, numbers double. A table that the project does
    not have has no file and no entry in ``columns``. ``leads`` always exists.

    Attributes
    ----------
    directory : Path
    columns : mapping of str to tuple of str
        For each table present, the columns of its file in order: the canonical ones that the
        source maps, then the further ones under their own names.
    """

    directory: Path
    columns: Mapping[str, tuple[str, ...]]

    @classmethod
    def kept_in(cls, directory: Path) -> Self:
        """Return the tables that an earlier run left in a folder.

        Parameters
        ----------
        directory : Path
            None of them where it does not exist.
        """
        here = cls(directory, {})
        parts = {name: here.parts(name)[0] for name in TABLES}
        columns = {
            name: tuple(pq.read_schema(part).names)
            for name, part in parts.items()
            if part.is_file()
        }
        return cls(directory, columns)

    def has(self, table: str, column: str | None = None) -> bool:
        """Say whether the project has this table (and, if named, this column in it)."""
        return table in self.columns and (column is None or column in self.columns[table])

    def path(self, table: str) -> Path:
        """Where the table's Parquet file is."""
        return self.directory / f"{table}.parquet"

    def parts(self, table: str) -> tuple[Path, ...]:
        """Return the files that the table lies in, in order.

        Events may lie in a folder of files, one for each month in which they became known: a new
        day leaves all but the last as they were.
        """
        folder = self.directory / table
        if folder.is_dir():
            return tuple(sorted(folder.glob("*.parquet")))
        return (self.path(table),)

    def relation(self, table: str) -> str:
        """Return the rows of the table, for SQL."""
        return parquet_files(self.parts(table))

    @property
    def is_flat(self) -> bool:
        """One table with a label column: rows are snapshots, and nothing is known of time."""
        return self.has("leads", "converted")
