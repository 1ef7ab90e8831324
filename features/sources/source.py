"""A source: where one raw table lies and how its columns map to the canonical ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta


@dataclass(frozen=True)
class Source:
    """One raw table that feeds one canonical table; several may feed the same.

    Attributes
    ----------
    table : str
        Canonical table it feeds: ``"leads"``, ``"events"``, ...
    key : str
        Where the configuration speaks of it, for messages: ``"sources.events[1]"``.
    path : str or None
        File or glob: ``.csv``, ``.tsv``, ``.txt`` (each also ``.gz``), ``.parquet``, ``.duckdb``
        or ``.db`` (with ``name`` or ``query``). On this machine, or in an object store:
        ``s3://bucket/views/*.parquet``.
    url : str or None
        Instead of ``path``: SQLAlchemy URL of a database (with ``name`` or ``query``).
    name : str or None
        Table or view in the DuckDB file or database, ``schema.table`` allowed.
    query : str or None
        Instead of ``name``: a SELECT to run there.
    columns : mapping of str to str
        Canonical column -> column of the source. A canonical column that is not mapped takes the
        source's column of the same name, where there is one.
    where : str or None
        SQL condition over the source's columns: which rows to read.
    event_type : str or None
        Events only: one type for every row of this source.
    since : date or None
        Events only: first day to read, in ``timezone``.
    won : str or None
        Outcomes, or leads of a flat table: SQL expression over the source's columns that says
        whether the row is a win.
    order_by : str or None
        Flat tables only: the column that orders rows in time, or ``"row"`` for the file's order.
    timezone : str
        Zone of times that carry none, as an IANA name.
    delimiter, encoding : str or None
        Text files: taken from the file where not said.
    missing : tuple of str
        Texts that mean "no value", beside the empty one.
    """

    table: str
    key: str
    path: str | None = None
    url: str | None = field(default=None, repr=False)
    name: str | None = None
    query: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    where: str | None = None
    event_type: str | None = None
    since: date | None = None
    won: str | None = None
    order_by: str | None = None
    timezone: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    missing: tuple[str, ...] = ()

    @property
    def read_from(self) -> date | None:
        """A day before which no row can be of ``since`` or later, whatever zones are in play."""
        return self.since - timedelta(days=2) if self.since else None
