"""Leads, events and snapshots of any number, as the door would write them, for bench-features."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

MONTHS = 24
KINDS = (
    *("call", "content_download", "demo_request", "email_click", "email_open", "form_submit"),
    *("page_view", "page_view_blog", "page_view_pricing", "trial_start", "webinar_attended"),
    "webinar_registered",
)
_SHARES = (3, 6, 2, 8, 20, 4, 17, 13, 9, 1, 5, 12)


@dataclass(frozen=True)
class World:
    """How large a world is.

    Attributes
    ----------
    events : int
    events_a_lead, snapshots_a_lead, leads_an_account : float
    kinds : int
        Event types; 12 have names that mean something, more are numbered.
    giant : float
        Share of the events that belong to one single account of 500 leads.
    late : float
        Share of the events that are recorded up to ten days after they occurred.
    long_ids : bool
        Ids are texts of 18 characters, as in a large CRM.
    """

    events: int
    events_a_lead: float = 20
    snapshots_a_lead: int = 3
    leads_an_account: float = 5
    kinds: int = 12
    giant: float = 0.0
    late: float = 0.0
    long_ids: bool = False

    @property
    def leads(self) -> int:
        """How many leads there are."""
        return max(1000, int(self.events / self.events_a_lead))


def kinds_of(world: World) -> tuple[str, ...]:
    """Return the event types."""
    return tuple(sorted(KINDS[: world.kinds])) + tuple(
        f"zz_kind_{number:02d}" for number in range(len(KINDS), world.kinds)
    )


def write_world(world: World, folder: Path) -> dict[str, tuple[str, ...]]:
    """Write ``leads.parquet``, ``events/*.parquet``, ``snapshots.parquet``; return the columns."""
    (folder / "events").mkdir(parents=True)
    with duckdb.connect(config={"threads": 2, "memory_limit": "4GB"}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        _write(connection, _leads(world), folder / "leads.parquet")
        for month in range(MONTHS):
            path = folder / "events" / f"{2023 + month // 12}-{month % 12 + 1:02d}.parquet"
            _write(connection, _events(world, month), path)
        _write(connection, _snapshots(world), folder / "snapshots.parquet")
    events = ["lead_id", "occurred_at", "event_type", "detail", "value"]
    if world.late:
        events.append("recorded_at")
    return {"leads": ("lead_id", "created_at", "account_id"), "events": tuple(events)}


def _write(connection: duckdb.DuckDBPyConnection, sql: str, path: Path) -> None:
    connection.execute(f"COPY ({sql}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")


def _random(salt: str, of: str) -> str:
    """SQL for a number in [0, 1) that depends on the row alone, so that a run can be repeated."""
    return f"((hash({of}, '{salt}') >> 11) / 9007199254740992.0)"


def _id(world: World, number: str) -> str:
    width = 18 if world.long_ids else 1
    text = f"({number})::VARCHAR"
    return f"lpad({text}, greatest({width}, length({text}))::INTEGER, '0')"


def _account(world: World, lead: str) -> str:
    accounts = max(1, int(world.leads / world.leads_an_account))
    giant = f"CASE WHEN {lead} < 500 THEN 0 ELSE" if world.giant else "CASE WHEN FALSE THEN 0 ELSE"
    return f"{giant} 1 + hash({lead}, 'account') % {accounts} END"


def _leads(world: World) -> str:
    return f"""
        SELECT {_id(world, "i")} AS lead_id, TIMESTAMPTZ '2023-01-01 00:00:00+00' AS created_at,
            {_id(world, _account(world, "i"))} AS account_id
        FROM range({world.leads}) t(i)
    """


def _events(world: World, month: int) -> str:
    """Events of a month: some leads are far busier than others, as in life."""
    first, last = (world.events * m // MONTHS for m in (month, month + 1))
    lead = f"floor({world.leads} * pow({_random('lead', 'i')}, 1.3))::BIGINT"
    if world.giant:
        chosen = f"{_random('giant', 'i')} < {world.giant}"
        lead = f"CASE WHEN {chosen} THEN (hash(i, 'member') % 500)::BIGINT ELSE {lead} END"
    names, shares = kinds_of(world), (_SHARES * world.kinds)[: world.kinds]
    bounds = [sum(shares[: at + 1]) / sum(shares) for at in range(len(names))]
    whens = " ".join(
        f"WHEN {_random('kind', 'i')} < {bound:.6f} THEN '{name}'"
        for name, bound in zip(names[:-1], bounds[:-1], strict=True)
    )
    start = f"TIMESTAMPTZ '{2023 + month // 12}-{month % 12 + 1:02d}-01 00:00:00+00'"
    moment = f"{start} + to_microseconds(({_random('time', 'i')} * 28 * 86400e6)::BIGINT)"
    delay = f"{_random('delay', 'i')} * 10 * 86400e6"
    known = f"CASE WHEN {_random('late', 'i')} < {world.late} THEN {delay} ELSE 0 END"
    recorded = f", moment + to_microseconds(({known})::BIGINT) AS recorded_at" if world.late else ""
    return f"""
        SELECT {_id(world, "who")} AS lead_id, moment AS occurred_at, kind AS event_type,
            CASE WHEN kind LIKE 'page%' THEN
                '/p/' || floor(1500 * pow({_random("page", "i")}, 2))::INTEGER END AS detail,
            CASE WHEN {_random("valued", "i")} < 0.15 THEN floor({_random("value", "i")} * 100) END
                AS value {recorded}
        FROM (
            SELECT i, {lead} AS who, {moment} AS moment, CASE {whens} ELSE '{names[-1]}' END AS kind
            FROM range({first}, {last}) t(i)
        ) ORDER BY who, moment
    """


def _snapshots(world: World) -> str:
    days = f"90 + {_random('as_of', 'i, n')} * 640"
    return f"""
        SELECT {_id(world, "i")} AS lead_id, {_id(world, _account(world, "i"))} AS account_id,
            TIMESTAMPTZ '2023-01-01 00:00:00+00'
                + to_microseconds(({days} * 86400)::BIGINT * 1000000) AS as_of,
            NULL::BOOLEAN AS label, NULL::DOUBLE AS position
        FROM range({world.leads}) t(i), range({world.snapshots_a_lead}) s(n)
    """
