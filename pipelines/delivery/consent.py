"""Consent: which leads must not be passed on to anyone."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from leadlight.features.engines import DuckDBEngine
from leadlight.features.errors import ConfigError, did_you_mean
from leadlight.features.funnel import email_role
from leadlight.features.sql import identifier, literal
from leadlight.features.tables import CanonicalTables
from leadlight.pipelines.erased_leads import erased_leads

# As CRMs and mail tools call the column, without case and punctuation.
_OPT_OUT_COLUMNS = frozenset(
    {
        "donotcontact",
        "donotemail",
        "emailoptout",
        "hasoptedoutofemail",
        "hsemailoptout",
        "optedout",
        "optout",
        "unsubscribed",
    }
)
_TRUE = ("true", "t", "yes", "y", "1", "1.0")


@dataclass(frozen=True)
class Withheld:
    """Leads that are not delivered.

    Attributes
    ----------
    opted_out : frozenset of str
        They unsubscribed, or a column of theirs says that they are not to be contacted.
    erased : frozenset of str
    """

    opted_out: frozenset[str]
    erased: frozenset[str]

    @property
    def leads(self) -> frozenset[str]:
        """All of them."""
        return self.opted_out | self.erased


def withheld(
    engine: DuckDBEngine, directory: Path, ledger: Connection, columns: Collection[str]
) -> Withheld:
    """Find the leads that must not be delivered, as the newest tables know them.

    Whoever unsubscribed once has opted out, under whatever alias.

    Parameters
    ----------
    engine : DuckDBEngine
    directory : Path
        The canonical tables.
    ledger : Connection
    columns : collection of str
        Further columns of leads that say true where a lead has opted out.

    Raises
    ------
    ConfigError
        ``delivery.opted_out_columns`` names a column that leads do not have.
    """
    tables = CanonicalTables(directory, _columns(engine, directory))
    opted_out = _by_event(engine, tables) | _by_column(engine, tables, columns)
    return Withheld(frozenset(opted_out), erased_leads(ledger))


def _columns(engine: DuckDBEngine, directory: Path) -> dict[str, tuple[str, ...]]:
    plain = CanonicalTables(directory, {})
    found = {}
    for name in ("leads", "events", "identities"):
        parts = [part for part in plain.parts(name) if part.exists()]
        if parts:
            described = engine.rows(f"DESCRIBE SELECT * FROM {plain.relation(name)}")
            found[name] = tuple(str(row[0]) for row in described)
    return found


def _by_event(engine: DuckDBEngine, tables: CanonicalTables) -> set[str]:
    if not tables.has("events", "lead_id"):
        return set()
    kinds = engine.rows(f"SELECT DISTINCT event_type FROM {tables.relation('events')}")
    leaving = [str(kind) for (kind,) in kinds if email_role(str(kind)) == "unsubscribe"]
    if not leaving:
        return set()
    who = (
        f"SELECT DISTINCT lead_id FROM {tables.relation('events')} "
        f"WHERE event_type IN ({', '.join(map(literal, leaving))}) AND lead_id IS NOT NULL"
    )
    found = {str(lead) for (lead,) in engine.rows(who)}
    if tables.has("identities"):
        known_as = engine.rows(
            f"SELECT DISTINCT i.lead_id FROM {tables.relation('identities')} i "
            f"JOIN ({who}) w ON w.lead_id = i.alias"
        )
        found |= {str(lead) for (lead,) in known_as}
    return found


def _by_column(engine: DuckDBEngine, tables: CanonicalTables, named: Collection[str]) -> set[str]:
    present = tables.columns["leads"]
    for column in named:
        if column not in present:
            raise ConfigError(
                f"delivery.opted_out_columns: leads have no column '{column}'."
                + did_you_mean(column, present)
            )
    said = [column for column in present if column in named or _plain(column) in _OPT_OUT_COLUMNS]
    if not said:
        return set()
    truths = ", ".join(map(literal, _TRUE))
    is_out = " OR ".join(
        f"lower(trim(CAST({identifier(column)} AS VARCHAR))) IN ({truths})" for column in said
    )
    rows = engine.rows(f"SELECT lead_id FROM {tables.relation('leads')} WHERE {is_out}")
    return {str(lead) for (lead,) in rows}


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
