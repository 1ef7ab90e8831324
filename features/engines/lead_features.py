"""Features in real time: of one lead, or a few, from rows in memory."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import datetime
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
from .event_kinds import EventKind, kernel_codes, listed_kinds
from .event_stream import address_of, filed_sql, kinds_sql
from .feature_inputs import require_inputs
from .lead_codes import LeadCodes
from .milestone_stream import milestones_sql, seniority_rank
from .profile_lookups import TitlesRead, profile_lookups, read_titles

_NAMES, _LEADS, _SNAPSHOTS, _KINDS, _MET = "names", "codes", "snapshots", "kinds", "met"
# No column of a user is called so.
_RANK = "rank of the job title"
_MANY_EVENTS = 1_000_000
_MANY_PAGES = 100_000
_FEW_TYPES = 7


def snapshots_at(
    lead_ids: Sequence[str], account_ids: Sequence[str | None], as_of: datetime
) -> pa.Table:
    """Return snapshots of leads at one instant (UTC), as ``LeadFeatures.compute`` takes them."""
    return pa.table(
        {
            "lead_id": pa.array(lead_ids, pa.string()),
            "account_id": pa.array(account_ids, pa.string()),
            "as_of": pa.array([as_of] * len(lead_ids), pa.timestamp("us", tz="UTC")),
            "label": pa.nulls(len(lead_ids), pa.bool_()),
            "position": pa.nulls(len(lead_ids), pa.float64()),
        }
    )


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
        # Planning takes longer than a few rows do.
        self._engine.execute("PRAGMA disable_optimizer")
        self._met: set[tuple[str, str | None]] = set()
        self._kinds: tuple[EventKind, ...] = ()
        self._fitting: list[dict[str, pa.Schema]] = []
        self._titles: TitlesRead = {}

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

    def learn_titles(self, titles: Iterable[str]) -> None:
        """Read job titles before they are met: the first look at one takes milliseconds."""
        read_titles(self._engine, titles, self._titles)

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
        columns = {name: tuple(rows.column_names) for name, rows in tables.items()}
        whole = _RegisteredTables(Path(), columns)
        # An account's columns are asked for by name, of a lead without an account too.
        filled = {
            name: columns[name]
            for name, rows in tables.items()
            if rows.num_rows or name in ("leads", "accounts")
        }
        people = LeadCodes.of(tables, snapshots)
        with ExitStack() as stack:
            given = {name: tables[name] for name in filled}
            given["leads"] = self._ranked(tables["leads"])
            given |= {_SNAPSHOTS: snapshots, _LEADS: people.leads}
            for name, rows in given.items():
                stack.enter_context(self._engine.registered(name, rows))
            self._require_inputs(whole, tables)
            rows = self._rows(_RegisteredTables(Path(), filled), tables, people)
            return pa.concat_tables(
                bucket_features(rows, self.definition, events_at_once=_MANY_EVENTS)
            )

    def _require_inputs(self, whole: "_RegisteredTables", tables: Mapping[str, pa.Table]) -> None:
        """Look at the types of the rows' columns, once for all rows of the same types."""
        types = {name: rows.schema for name, rows in tables.items()}
        if types not in self._fitting and require_inputs(self._engine, whole, self.definition):
            self._fitting = [types, *self._fitting[:_FEW_TYPES]]

    def _rows(
        self,
        filled: "_RegisteredTables",
        tables: Mapping[str, pa.Table],
        people: LeadCodes,
    ) -> "_RowsInMemory":
        engine, definition = self._engine, self.definition
        with profile_lookups(engine, filled, definition.profile, titles=self._titles):
            profile = engine.small_table(profile_sql(filled, definition, _SNAPSHOTS, _LEADS))
        known = self._milestones(filled)
        if not definition.event_kinds or not filled.has("events"):
            return _RowsInMemory(profile, known, None, None, ())
        page_types = self._learn(filled, tables["events"])
        with engine.registered(_NAMES, people.names):
            filed = engine.small_table(
                filed_sql(filled, page_types, '"events"', names=_NAMES, kinds=_KINDS)
            )
        kinds = kernel_codes(self._kinds, definition)
        return _RowsInMemory(profile, known, people.owners, filed, kinds)

    def _ranked(self, leads: pa.Table) -> pa.Table:
        """Add the rank of each title as a column, so that the statement is the same for all."""
        if "seniority" not in self.definition.account or "job_title" not in leads.column_names:
            return leads
        if len(self._titles) > _MANY_PAGES:
            self._titles.clear()
        titles = leads["job_title"].to_pylist()
        self.learn_titles(filter(None, titles))
        ranks = [seniority_rank(self._titles[title][0] if title else None) for title in titles]
        return leads.append_column(_RANK, pa.array(ranks, pa.int64()))

    def _milestones(self, filled: "_RegisteredTables") -> pa.Table | None:
        sql = milestones_sql(filled, self.definition, _LEADS, rank=f"p.{identifier(_RANK)}")
        return self._engine.small_table(sql) if sql else None

    def _learn(self, tables: "_RegisteredTables", events: pa.Table) -> tuple[str, ...]:
        """Learn the kinds of event types and addresses that were not met before.

        Preparing the patterns takes some ten milliseconds, so that known ones are remembered.

        Returns
        -------
        tuple of str
            The event types whose detail is the address of a page.
        """
        types = events["event_type"].unique().to_pylist()
        page_types = tuple(sorted(filter(is_page_view, types)))
        details = events["detail"] if tables.has("events", "detail") else pa.nulls(len(events))
        seen = zip(events["event_type"].to_pylist(), details.to_pylist(), strict=True)
        met = {
            (name, address_of(detail) if name in page_types and detail is not None else None)
            for name, detail in seen
        }
        if met <= self._met:
            return page_types
        self._met = met if len(self._met) > _MANY_PAGES else self._met | met
        with self._engine.registered(_MET, _table_of(self._met)):
            listed = kinds_sql(_MET, self.definition.page_rules)
            coded = "dense_rank() OVER (ORDER BY event_type, name, kind) - 1"
            self._engine.execute(
                f"CREATE OR REPLACE TEMP TABLE {_KINDS} AS"
                f" SELECT *, CAST({coded} AS SMALLINT) AS code FROM ({listed})"
            )
        self._kinds = listed_kinds(self._engine, _KINDS)
        return page_types


def _table_of(met: Collection[tuple[str, str | None]]) -> pa.Table:
    types, addresses = zip(*met, strict=True)
    return pa.table(
        {
            "event_type": pa.array(types, pa.string()),
            "address": pa.array(addresses, pa.string()),
        }
    )


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
