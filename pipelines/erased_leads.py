"""Erased leads: the ledger's list of ids that nothing may be kept of, and nobody is told of."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from sqlalchemy import Column, Connection, DateTime, String, Table, bindparam, delete, select

from .config import Config
from .ledger import METADATA, ledger_exists, open_ledger

_ERASED = Table(
    "erased_leads",
    METADATA,
    Column("lead_id", String(200), primary_key=True),
    Column("erased_at", DateTime(timezone=True), nullable=False),
)


def erased_leads(ledger: Connection) -> frozenset[str]:
    """Return the ids, and the aliases, of the leads that were erased."""
    return frozenset(ledger.execute(select(_ERASED.c.lead_id)).scalars())


def erased_of(config: Config) -> frozenset[str]:
    """Return the ids, and the aliases, that a project's ledger lists as erased."""
    if not ledger_exists(config):
        return frozenset()
    with open_ledger(config) as ledger:
        return erased_leads(ledger)


def list_as_erased(ledger: Connection, leads: Iterable[str]) -> None:
    """List leads as erased: their ids alone, so that no source brings them back."""
    now, known = datetime.now(UTC), erased_leads(ledger)
    rows = [{"lead_id": lead, "erased_at": now} for lead in sorted(set(leads) - known)]
    if rows:
        ledger.execute(_ERASED.insert(), rows)


def erase_from_ledger(ledger: Connection, leads: Collection[str]) -> int:
    """Delete what the ledger's other tables keep of leads.

    Returns
    -------
    int
        Rows deleted.
    """
    rows = 0
    for table in METADATA.sorted_tables:
        if table is not _ERASED and "lead_id" in table.c:
            gone = delete(table).where(table.c.lead_id == bindparam("lead"))
            rows += sum(ledger.execute(gone, {"lead": lead}).rowcount for lead in sorted(leads))
    return rows
