"""Leads, their events and their snapshots, any number of them, as canonical tables.

Every value depends on its row's number alone, so a world is the same whenever it is written.
"""

import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb

from leadlight.features.tables import CanonicalTables

START = date(2023, 1, 1)
MONTHS = 24
DAYS = 731
FIRST_SNAPSHOT = 90  # days after the start
GIANT_LEADS = 1_000
LATE_DAYS = 10


@dataclass(frozen=True)
class WorldKind:
    """A kind of event.

    Attributes
    ----------
    name : str
        As leadlight calls it.
    share : int
        How common, beside the others.
    event_type : str
    details : int
        How many different details there are; 0 for none.
    stem : str
        What each detail begins with; for a view, the path that tells the kind of page.
    """

    name: str
    share: int
    event_type: str
    details: int = 0
    stem: str = ""


def _view(page: str, share: int, pages: int, stem: str) -> WorldKind:
    return WorldKind(f"page_view_{page}", share, "page_view", pages, stem)


_NAMED = (
    _view("pricing", 6, 3, "/pricing/"),
    WorldKind("email_open", 17, "email_open", 60, "campaign-"),
    WorldKind("demo_request", 1, "demo_request"),
    _view("blog", 12, 300, "/blog/"),
    WorldKind("email_click", 6, "email_click", 60, "campaign-"),
    _view("product", 10, 40, "/product/"),
    WorldKind("content_download", 4, "content_download", 25, "asset-"),
    WorldKind("webinar_attended", 2, "webinar_attended", 12, "webinar-"),
    _view("case_study", 4, 30, "/customers/"),
    WorldKind("email_send", 20, "email_send", 60, "campaign-"),
    WorldKind("form_submit", 2, "form_submit", 8, "form-"),
    WorldKind("webinar_registered", 3, "webinar_registered", 12, "webinar-"),
    WorldKind("trial_start", 1, "trial_start"),
    WorldKind("call", 2, "call"),
    _view("docs", 3, 120, "/docs/"),
    _view("careers", 1, 10, "/careers/"),
    _view("login", 2, 1, "/login/"),
    _view("other", 4, 50, "/about/"),
)
NAMED_KINDS = len(_NAMED)


@dataclass(frozen=True)
class World:
    """How large a world is.

    Attributes
    ----------
    events : int
    events_a_lead : int
    leads_an_account : int
    kinds : int
        Kinds of event; those beyond 18 are numbered.
    giant_events : int
        How many of the events are of one single account of a thousand leads.
    late : float
        Share of the events that are recorded up to ten days after they occurred; with 0, nothing
        says when they were.
    long_ids : bool
        Ids are texts of 18 characters, as a large CRM writes them.
    """

    events: int
    events_a_lead: int = 20
    leads_an_account: int = 5
    kinds: int = NAMED_KINDS
    giant_events: int = 0
    late: float = 0.0
    long_ids: bool = False

    @property
    def leads(self) -> int:
        """How many leads there are."""
        return max(1, self.events // self.events_a_lead)


def world_kinds(world: World) -> tuple[WorldKind, ...]:
    """Return the kinds of event that a world has."""
    numbered = (
        WorldKind(f"touch_{number}", 3, f"touch_{number}")
        for number in range(NAMED_KINDS, world.kinds)
    )
    return (*_NAMED[: world.kinds], *numbered)


@dataclass(frozen=True)
class WrittenWorld:
    """A world on disk.

    Attributes
    ----------
    world : World
    tables : CanonicalTables
    snapshots : Path
    folder : Path
        Where its runs may write.
    """

    world: World
    tables: CanonicalTables
    snapshots: Path
    folder: Path


@contextmanager
def written_world(world: World, folder: Path, *, snapshots_a_lead: int) -> Iterator[WrittenWorld]:
    """Write a world below a folder; it is removed at the end of the block."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        home = Path(place)
        snapshots = write_snapshots(world, home / "snapshots.parquet", snapshots_a_lead)
        yield WrittenWorld(world, write_tables(world, home / "tables"), snapshots, home / "runs")


def write_tables(world: World, folder: Path) -> CanonicalTables:
    """Write the tables, events month by month in the order that leadlight's door gives them."""
    folder.mkdir(parents=True)
    columns = {}
    with duckdb.connect(config={"memory_limit": "3GB", "temp_directory": str(folder)}) as database:
        database.execute("SET TimeZone = 'UTC'")
        for table, sql in _tables(world).items():
            columns[table] = _write(database, sql, folder / f"{table}.parquet")
        (folder / "events").mkdir()
        first = 0
        for month in _months():
            until = (month.next_start - START).days * world.events // DAYS
            sql = _events(world, month, first, until)
            columns["events"] = _write(
                database, sql, folder / "events" / f"{month.start:%Y-%m}.parquet"
            )
            first = until
    return CanonicalTables(folder, columns)


def write_snapshots(world: World, path: Path, snapshots_a_lead: int) -> Path:
    """Write snapshots of each lead, spread over the world's time after its first 90 days."""
    each = (DAYS - FIRST_SNAPSHOT) * 86_400 / snapshots_a_lead
    seconds = f"{FIRST_SNAPSHOT * 86_400} + floor((n + {_random('as_of', 'i * 100 + n')}) * {each})"
    with duckdb.connect(config={"memory_limit": "3GB", "temp_directory": path.parent}) as database:
        database.execute("SET TimeZone = 'UTC'")
        _write(
            database,
            f"""
            SELECT {_lead(world, "i")} AS lead_id, {_account(world, "i")} AS account_id,
                {_at(seconds)} AS as_of, NULL::BOOLEAN AS label, NULL::DOUBLE AS position
            FROM range({world.leads}) leads(i), range({snapshots_a_lead}) snapshots(n)
            """,
            path,
        )
    return path


def write_next_day(written: WrittenWorld) -> int:
    """Write the events of the day after the world's end; return how many."""
    world = written.world
    end = START + timedelta(days=DAYS)
    until = world.events + world.events // DAYS
    sql = _events(world, _Month(end, end + timedelta(days=1)), world.events, until)
    path = written.tables.directory / "events" / f"{end:%Y-%m}.parquet"
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        _write(database, sql, path)
    return until - world.events


def write_snapshots_of_all(world: World, path: Path, day: int) -> Path:
    """Write a snapshot of each lead at the beginning of one day, counted from the world's start."""
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        _write(
            database,
            f"""
            SELECT {_lead(world, "i")} AS lead_id, {_account(world, "i")} AS account_id,
                {_at(f"{day * 86_400}::DOUBLE")} AS as_of,
                NULL::BOOLEAN AS label, NULL::DOUBLE AS position
            FROM range({world.leads}) leads(i)
            """,
            path,
        )
    return path


@dataclass(frozen=True)
class _Month:
    start: date
    next_start: date


def _months() -> tuple[_Month, ...]:
    starts = [date(START.year + month // 12, month % 12 + 1, 1) for month in range(MONTHS)] + [
        START + timedelta(days=DAYS)
    ]
    return tuple(_Month(*pair) for pair in pairwise(starts))


def _write(database: duckdb.DuckDBPyConnection, sql: str, path: Path) -> tuple[str, ...]:
    database.execute(f"COPY ({sql}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
    return tuple(name for name, *_ in database.execute(f"DESCRIBE {sql}").fetchall())


def _whole(salt: str, row: str = "i") -> str:
    """SQL for a number that looks random; of another salt, it tells nothing of this one."""
    return f"hash(({row})::BIGINT + {zlib.crc32(salt.encode()) % 2**20} * {2**40})"


def _random(salt: str, row: str = "i") -> str:
    """SQL for a number from 0 to 1."""
    return f"(({_whole(salt, row)} >> 11) / {2**53}.0)"


def _at(seconds: str) -> str:
    start = int(datetime(START.year, START.month, START.day, tzinfo=UTC).timestamp())
    return f"make_timestamptz((({start} + ({seconds})) * 1000000)::BIGINT)"


def _lead(world: World, number: str) -> str:
    return (
        f"'00Q' || lpad(({number})::VARCHAR, 15, '0')" if world.long_ids else f"({number})::VARCHAR"
    )


def _account(world: World, lead: str) -> str:
    accounts = max(1, world.leads // world.leads_an_account)
    number = f"(1 + {_whole('account', lead)} % {accounts})::BIGINT"
    if world.giant_events:
        number = f"CASE WHEN {lead} < {GIANT_LEADS} THEN 0 ELSE {number} END"
    return (
        f"'001' || lpad(({number})::VARCHAR, 15, '0')" if world.long_ids else f"({number})::VARCHAR"
    )


def _tables(world: World) -> Mapping[str, str]:
    """SQL for what there is beside events: leads, deals of every eighth, MQLs of every fifth."""
    titles = "['CEO', 'VP Marketing', 'Head of IT', 'Sales Manager', 'Engineer', 'Student', NULL]"
    opened = f"{_random('opened')} * {(DAYS - 60) * 86_400}"
    return {
        "leads": f"""
            SELECT {_lead(world, "i")} AS lead_id,
                {_at(f"-{_random('created')} * {300 * 86_400}")} AS created_at,
                {_account(world, "i")} AS account_id,
                {titles}[1 + ({_whole("title")} % 7)::INTEGER] AS job_title
            FROM range({world.leads}) leads(i)""",
        "outcomes": f"""
            SELECT 'D' || i AS deal_id, {_lead(world, "i")} AS lead_id,
                {_at(f"{opened} + {_random('closed')} * {60 * 86_400}")} AS closed_at,
                {_random("won")} < 0.3 AS won, {_at(opened)} AS opened_at
            FROM range({world.leads}) leads(i) WHERE {_random("deal")} < 0.125""",
        "feedback": f"""
            SELECT {_lead(world, "i")} AS lead_id,
                {_at(f"{_random('decided')} * {DAYS * 86_400}")} AS decided_at,
                {_random("accepted")} < 0.6 AS accepted
            FROM range({world.leads}) leads(i) WHERE {_random("mql")} < 0.2""",
    }


def _events(world: World, month: _Month, first: int, until: int) -> str:
    """SQL for a month's events; some leads are far busier than others, as in life."""
    kinds = world_kinds(world)
    whole = sum(kind.share for kind in kinds)
    bounds = [sum(kind.share for kind in kinds[: at + 1]) / whole for at in range(len(kinds) - 1)]
    whens = " ".join(f"WHEN u < {bound} THEN {at + 1}" for at, bound in enumerate(bounds))
    types, stems, details = (
        str([getattr(kind, name) for kind in kinds]) for name in ("event_type", "stem", "details")
    )
    who = f"floor({world.leads} * pow({_random('lead')}, 1.3))::BIGINT"
    if world.giant_events:
        chosen = f"{_random('giant')} < {world.giant_events / world.events}"
        who = f"CASE WHEN {chosen} THEN ({_whole('member')} % {GIANT_LEADS})::BIGINT ELSE {who} END"
    length = (month.next_start - month.start).days * 86_400
    since = (month.start - START).days * 86_400
    late = f"CASE WHEN {_random('late')} < {world.late} THEN {_random('delay')} ELSE 0 END"
    recorded = f"occurred_at + to_seconds({LATE_DAYS * 86_400} * {late}) AS recorded_at,"
    return f"""
        SELECT {_lead(world, "who")} AS lead_id, occurred_at, {types}[kind] AS event_type,
            {recorded if world.late else ""}
            CASE WHEN {details}[kind] > 0 THEN {stems}[kind]
                || floor({details}[kind] * pow({_random("detail")}, 2))::INTEGER END AS detail,
            CASE WHEN {_random("valued")} < 0.15 THEN floor({_random("value")} * 100) END AS value
        FROM (
            SELECT i, {who} AS who, {_at(f"{since} + {_random('time')} * {length}")} AS occurred_at,
                CASE {whens} ELSE {len(kinds)} END AS kind
            FROM (SELECT i, {_random("kind")} AS u FROM range({first}, {until}) events(i))
        ) ORDER BY lead_id, occurred_at
    """
