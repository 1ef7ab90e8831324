"""Records of one lead and of its account, found in milliseconds among all."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import MappingProxyType, TracebackType

import pyarrow as pa
import pyarrow.compute as pc

from leadlight.features.sql import identifier, literal
from leadlight.features.tables import CanonicalTables

from .duckdb import DuckDBEngine

# How each table lies sorted, so that a lead's rows are next to each other.
_ORDERS: Mapping[str, str] = MappingProxyType(
    {
        "leads": "lead_id",
        "accounts": "account_id",
        "events": "lead_id",
        "outcomes": "lead_id",
        "feedback": "lead_id",
        "profile_history": "id",
        "identities": "lead_id",
    }
)


class LeadRecords(AbstractContextManager["LeadRecords"]):
    """Canonical tables, copied so that the rows of a lead lie together.

    The copy is a file in a temporary folder, which goes with the object. It holds what the tables
    held when it was made. Whoever asks for one lead only reads the tables where they lie instead.

    Parameters
    ----------
    tables : CanonicalTables
    directory : Path
        Folder for the copy.
    memory_limit : str
        What the engine may use.
    copied : bool
        Whether to copy the tables.
    """

    def __init__(
        self,
        tables: CanonicalTables,
        directory: Path,
        *,
        memory_limit: str = "256MB",
        copied: bool = True,
    ) -> None:
        self.columns = tables.columns
        self._schemas: dict[str, pa.Schema] = {}
        with ExitStack() as stack:
            self._engine = stack.enter_context(
                DuckDBEngine(memory_limit=memory_limit, threads=1, temp_directory=directory)
            )
            folder = stack.enter_context(self._engine.scratch())
            self._engine.execute(f"ATTACH {literal(str(folder / 'records.db'))} AS records")
            for table in tables.columns:
                if copied:
                    self._copy(tables, table)
                else:
                    self._engine.execute(
                        f"CREATE VIEW records.{identifier(table)} AS FROM {tables.relation(table)}"
                    )
            self._open = stack.pop_all()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the copy."""
        self._engine.execute("DETACH records")
        self._open.close()

    def schema(self, table: str) -> pa.Schema:
        """Return the columns of a table and their types."""
        if table not in self._schemas:
            rows = self._engine.small_table(f"FROM records.{identifier(table)} LIMIT 0")
            self._schemas[table] = rows.schema
        return self._schemas[table]

    def titles(self, most: int = 50_000) -> list[str]:
        """Return job titles of the leads, the most frequent first."""
        if "job_title" not in self.columns["leads"]:
            return []
        rows = self._engine.rows(
            "SELECT job_title FROM records.leads WHERE job_title <> ''"
            f" GROUP BY job_title ORDER BY count(*) DESC, job_title LIMIT {most}"
        )
        return [title for (title,) in rows]

    def of(self, lead_id: str, account_id: str | None = None) -> dict[str, pa.Table]:
        """Return all rows that a lead's features may depend on.

        They are those of the lead, of its account, of the other leads of the account, and of the
        aliases of all of them.

        Parameters
        ----------
        lead_id : str
            A lead that is not known has no rows of its own.
        account_id : str, optional
            The lead's account, where it is not the one that is known.

        Returns
        -------
        dict of str to Table
            Each canonical table of the project; empty where nothing belongs to the lead.
        """
        leads = self._engine.small_table(f"FROM records.leads WHERE lead_id = {literal(lead_id)}")
        account_id = account_id or account_in(leads, lead_id)
        if account_id is not None and "account_id" in self.columns["leads"]:
            others = f"account_id = {literal(account_id)} AND lead_id <> {literal(lead_id)}"
            colleagues = self._engine.small_table(f"FROM records.leads WHERE {others}")
            leads = pa.concat_tables([leads, colleagues])
        ids = [lead_id, *leads["lead_id"].to_pylist()]
        links = None
        if "identities" in self.columns:
            links = self._engine.small_table(
                f"FROM records.identities WHERE {_among('lead_id', ids)}"
            )
        names = ids if links is None else [*ids, *links["alias"].to_pylist()]
        found = {"leads": leads} | ({} if links is None else {"identities": links})
        for table in self.columns.keys() - found.keys():
            found[table] = self._rows(table, ids, names, account_id)
        return found

    def _copy(self, tables: CanonicalTables, table: str) -> None:
        order, rows = _ORDERS[table], tables.relation(table)
        if not tables.has(table, order):
            order = "account_id"
        self._engine.execute(
            f"CREATE TABLE records.{identifier(table)} AS FROM {rows} ORDER BY {order}"
        )
        if table == "leads" and tables.has("leads", "account_id"):
            self._engine.execute("CREATE INDEX colleagues ON records.leads (account_id)")

    def _rows(
        self, table: str, ids: list[str], names: list[str], account_id: str | None
    ) -> pa.Table:
        """Return a table's rows of some leads (or their aliases) and of an account."""
        account = literal(account_id or "")
        match table:
            case "accounts":
                belongs = f"account_id = {account}"
            case "profile_history":
                belongs = f"{_among('id', ids)} AND entity = 'lead'"
                belongs = f"({belongs}) OR (id = {account} AND entity = 'account')"
            case _:
                own = names if table == "events" else ids
                columns = self.columns[table]
                parts = [_among("lead_id", own)] if "lead_id" in columns else []
                if account_id is not None and "account_id" in columns:
                    parts.append(f"account_id = {account}")
                belongs = " OR ".join(parts) or "false"
        return self._engine.small_table(f"FROM records.{identifier(table)} WHERE {belongs}")


def account_in(leads: pa.Table, lead_id: str) -> str | None:
    """Return the account of a lead among some; None where it has none, or is not there."""
    if "account_id" not in leads.column_names:
        return None
    account: list[str | None] = leads.filter(pc.equal(leads["lead_id"], lead_id))[
        "account_id"
    ].to_pylist()
    return account[0] if account else None


def _among(column: str, names: list[str]) -> str:
    return f"{column} IN ({', '.join(literal(name) for name in sorted(set(names)))})"
