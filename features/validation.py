"""The door: raw sources in, validated canonical tables out, bad rows in the quarantine.

Each source is brought into Parquet (`sources`), typed in one pass over its rows (`admission`),
then held against the rest: keys, leads, identities (`quarantine`). Tables are built in a temporary
folder (`intake`) and put in place at the very end, all or none (`publication`).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import available_timezones

from .engines import DuckDBEngine
from .errors import ConfigError, DataQualityError, did_you_mean
from .intake import Intake
from .publication import building, publish, publish_quarantine
from .rules import RULES, Rule, RuleCount, limits_with
from .sources import Source
from .tables import TABLES, CanonicalTables

__all__ = ["RULES", "DoorReport", "Rule", "RuleCount", "admit"]

# Leads and identities first: the others refer to them.
_ORDER = (
    "leads",
    "identities",
    "accounts",
    "events",
    "outcomes",
    "feedback",
    "profile_history",
)


@dataclass(frozen=True)
class DoorReport:
    """What came through the door and what did not.

    Attributes
    ----------
    tables : CanonicalTables
    rows_read, rows_kept : mapping of str to int
        By table.
    counts : tuple of RuleCount
        Every rule that applies, by table.
    quarantine : Path or None
        Folder of the bad rows, one Parquet file a table; None if there is no bad row.
    notes : tuple of str
        What was decided on the way and a person may want to know.
    """

    tables: CanonicalTables
    rows_read: Mapping[str, int]
    rows_kept: Mapping[str, int]
    counts: tuple[RuleCount, ...]
    quarantine: Path | None
    notes: tuple[str, ...]


def admit(
    engine: DuckDBEngine,
    sources: Sequence[Source],
    *,
    directory: Path,
    quarantine: Path,
    now: datetime,
    limits: Mapping[str, float | None] | None = None,
    erased: Collection[str] = (),
    progress: Callable[[str], None] | None = None,
) -> DoorReport:
    """Read every source, validate it, and publish the canonical tables.

    Parameters
    ----------
    engine : DuckDBEngine
    sources : sequence of Source
    directory : Path
        Folder of the canonical tables; replaced as a whole, or left as it is on any failure.
    quarantine : Path
        Folder of the bad rows, ``<table>.parquet`` with the columns source, row (from 1, without
        the header), rule, column, value, message, record (JSON of the row as read).
    now : datetime
        Aware; what is later is a future date.
    limits : mapping of str to float, optional
        Largest share of bad rows by rule, in place of the defaults of `RULES`; None only warns.
    erased : collection of str
        Ids and aliases of leads that were erased: their rows are not let in.
    progress : callable, optional
        Told what is being done.

    Returns
    -------
    DoorReport

    Raises
    ------
    SourceError, ColumnNotFoundError, MissingExtraError
        A source cannot be read or does not have what is asked of it.
    DataQualityError
        A rule's limit is passed. The quarantine is written, the tables are not.
    ConfigError
        There are no leads, or a limit, a zone or a mapping is not one.
    WorkspaceError
        The disk is full.
    """
    if now.tzinfo is None:
        message = f"now = {now!r} has no time zone"
        raise ValueError(message)
    allowed = limits_with(limits)
    _check_sources(sources)
    tell = progress or (lambda _: None)
    with building(directory) as work:
        intake = Intake(engine, sources, work, now, allowed, erased)
        for table in _ORDER:
            mine = [source for source in sources if source.table == table]
            if mine:
                tell(f"reading {table}")
                intake.admit_table(table, mine)
        bad = publish_quarantine(work / "quarantine", quarantine)
        failed = [count for count in intake.counts if not count.passed]
        if failed:
            raise _too_many(failed, quarantine)
        intake.check_kept()
        publish(work / "tables", directory)
    return DoorReport(
        CanonicalTables(directory, intake.columns),
        intake.rows_read,
        intake.rows_kept,
        tuple(intake.counts),
        quarantine if bad else None,
        tuple(intake.notes),
    )


def _check_sources(sources: Sequence[Source]) -> None:
    if not any(source.table == "leads" for source in sources):
        raise ConfigError(
            "sources: there are no leads.", hint="Map the table of leads under sources.leads."
        )
    for source in sources:
        if source.table not in TABLES:
            raise ConfigError(
                f"{source.key}: there is no table '{source.table}'."
                f"{did_you_mean(source.table, TABLES)}"
            )
        if source.timezone is not None and source.timezone not in available_timezones():
            raise ConfigError(
                f"{source.key}.timezone: '{source.timezone}' is not a time zone."
                f"{did_you_mean(source.timezone, available_timezones())}",
                hint="Write an IANA name such as Europe/Berlin.",
            )


def _too_many(failed: Sequence[RuleCount], quarantine: Path) -> DataQualityError:
    lines = [
        f"{count.table}: {count.rows:,} of {count.of:,} rows ({count.share:.1%}) break "
        f"{count.rule}, the limit is {count.limit:.1%}. First: {count.example}"
        for count in failed
    ]
    rules = ", ".join(dict.fromkeys(count.rule for count in failed))
    return DataQualityError(
        "\n".join(lines),
        hint=f"The bad rows are in {quarantine}. Mend the data, or raise the limit in the "
        f"configuration under checks ({rules}).",
    )
