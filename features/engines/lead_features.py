"""Features in real time: of one lead, or a few, from rows in memory."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import pyarrow as pa

from leadlight.features.definition import FeatureDefinition
from leadlight.features.profile import profile_sql
from leadlight.features.sql import identifier
from leadlight.features.tables import CanonicalTables
from leadlight.features.taxonomy import is_page_view

from .account_bucket import bucket_features
from .duckdb import DuckDBEngine
from .event_kinds import EventKind, kernel_codes
from .event_names import leads_sql, members_sql, names_sql, owners_sql
from .event_stream import addresses_sql, filed_sql, kinds_sql
from .feature_inputs import require_inputs
from .milestone_stream import milestones_sql
from .profile_lookups import profile_lookups

_MEMBERS, _NAMES, _LEADS = "members", "names", "leads_that_matter"
_KINDS, _NEW, _SNAPSHOTS = "kinds", "new_addresses", "snapshots"
_MANY_EVENTS = 1_000_000
_MANY_PAGES = 100_000


class LeadFeatures(AbstractContextManager["LeadFeatures"]):
    """Computes the features of a lead while somebody waits, by the kernel of the nightly job.

    Parameters
    ----------
    definition : FeatureDefinition
    memory_limit : str
        What the engine may use.
    """

    def __init__(self, definition: FeatureDefinition, *, memory_limit: str = "256MB") -> None:
        self.definition = definition
        self._engine = DuckDBEngine(memory_limit=memory_limit, threads=1)
        self._engine.execute(
            f"CREATE TEMP TABLE {_KINDS} (event_type VARCHAR, address VARCHAR, name VARCHAR,"
            " kind VARCHAR, code SMALLINT)"
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the engine."""
        self._engine.close()

    def compute(self, tables: Mapping[str, pa.Table], snapshots: pa.Table) -> pa.Table:
        """Return the features of each snapshot as it was at its ``as_of``.

        Parameters
        ----------
        tables : mapping of str to Table
            The rows of the canonical tables that belong to the snapshots' leads and to the other
            leads of their accounts.
        snapshots : Table
            ``lead_id``, ``account_id``, ``as_of``, ``label``, ``position``.

        Returns
        -------
        Table
            As ``compute_features`` writes it.

        Raises
        ------
        SchemaMismatchError
            A table or column of the definition is missing, or of another type.
        """
        registered = _RegisteredTables(
            Path(), {name: tuple(rows.column_names) for name, rows in tables.items()}
        )
        with ExitStack() as stack:
            for name, rows in {**tables, _SNAPSHOTS: snapshots}.items():
                stack.enter_context(self._engine.registered(name, rows))
            require_inputs(self._engine, registered, self.definition)
            rows = self._staged(registered, stack)
            return pa.concat_tables(
                bucket_features(rows, self.definition, events_at_once=_MANY_EVENTS)
            )

    def _staged(self, tables: "_RegisteredTables", stack: ExitStack) -> "_RowsInMemory":
        engine, definition = self._engine, self.definition

        def keep(name: str, sql: str) -> None:
            stack.enter_context(engine.temporary_table(name, sql))

        keep(_MEMBERS, members_sql(tables, _SNAPSHOTS, buckets=1))
        keep(_LEADS, leads_sql(_MEMBERS, whole_accounts=bool(definition.account)))
        milestones = milestones_sql(tables, definition, _LEADS)
        with profile_lookups(engine, tables, definition.profile):
            profile = engine.table(profile_sql(tables, definition, _SNAPSHOTS, _LEADS))
        known = engine.table(milestones) if milestones else None
        if not definition.event_kinds:
            return _RowsInMemory(profile, known, None, None, ())
        names = names_sql(tables, _MEMBERS)
        keep(_NAMES, f"SELECT *, row_number() OVER () - 1 AS code FROM ({names})")
        page_types, kinds = self._learned(tables)
        filed = filed_sql(tables, page_types, tables.relation("events"), names=_NAMES, kinds=_KINDS)
        return _RowsInMemory(
            profile,
            known,
            engine.table(owners_sql(tables, _LEADS, _NAMES)),
            engine.table(filed),
            kernel_codes(kinds, definition),
        )

    def _learned(
        self, tables: "_RegisteredTables"
    ) -> tuple[tuple[str, ...], tuple[EventKind, ...]]:
        """Learn the kinds of event types and addresses that were not met before.

        Returns
        -------
        tuple
            The event types whose detail is the address of a page, and the kinds by their code.
        """
        engine, events = self._engine, tables.relation("events")
        engine.execute(
            f"DELETE FROM {_KINDS} WHERE (SELECT count(*) FROM {_KINDS}) > {_MANY_PAGES}"
        )
        types = [name for (name,) in engine.rows(f"SELECT DISTINCT event_type FROM {events}")]
        page_types = tuple(sorted(filter(is_page_view, types)))
        met = "e.event_type = k.event_type AND e.address IS NOT DISTINCT FROM k.address"
        new = (
            f"SELECT e.* FROM ({addresses_sql(tables, page_types, events)}) e"
            f" ANTI JOIN {_KINDS} k ON {met}"
        )
        with engine.temporary_table(_NEW, new):
            ((rows,),) = engine.rows(f"SELECT count(*) FROM {_NEW}")
            if rows:  # patterns take some ten milliseconds to prepare
                listed = kinds_sql(_NEW, self.definition.page_rules)
                engine.execute(f"INSERT INTO {_KINDS} SELECT *, 0 FROM ({listed})")
                engine.execute(
                    f"UPDATE {_KINDS} SET code = c.code FROM ("
                    f" SELECT event_type, kind, dense_rank() OVER (ORDER BY event_type, kind) - 1"
                    f" AS code FROM {_KINDS}) c"
                    f" WHERE {_KINDS}.event_type = c.event_type AND {_KINDS}.kind = c.kind"
                )
        kinds = engine.rows(
            f"SELECT DISTINCT event_type, name, kind, code FROM {_KINDS} ORDER BY 4"
        )
        return page_types, tuple(EventKind(*row[:3]) for row in kinds)


class _RegisteredTables(CanonicalTables):
    """Canonical tables that the engine knows by their names."""

    def relation(self, table: str) -> str:
        return identifier(table)


@dataclass(frozen=True)
class _RowsInMemory:
    """A bucket's rows, in memory."""

    profile: pa.Table
    known: pa.Table | None
    owned: pa.Table | None
    kept: pa.Table | None
    kinds: tuple[int, ...]

    @property
    def size(self) -> int:
        return 0 if self.kept is None else int(self.kept.num_rows)

    def snapshots(self) -> pa.Table:
        return self.profile

    def milestones(self) -> pa.Table | None:
        return self.known

    def owners(self) -> pa.Table | None:
        return self.owned

    def events(self, *columns: str) -> Iterator[pa.RecordBatch]:
        if self.kept is not None:
            yield from self.kept.select(columns).to_batches()
