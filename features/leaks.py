"""The leak audit: for each column and kind of event, whether it could be known at the snapshot.

*Certain* is what time itself shows: such a column is left out of training. *Suspect* is what only
its power, its values or its name speak against: it is kept, and said. A flat table has no times, so
that nothing in it is certain but what ``features.known_when`` declares.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import leaks_evidence, leaks_records, leaks_suspicion
from .engines.duckdb import DuckDBEngine
from .engines.event_kinds import event_kinds
from .engines.event_stream import address_sql
from .engines.feature_definition import profile_candidates
from .errors import ConfigError, did_you_mean
from .leak import KnownWhen, Leak
from .leaks_evidence import Evidence
from .leaks_leads import OUTCOMES, AuditedLeads, audited_leads, outcomes_sql, own_values
from .leaks_power import Power, codes, cross_fitted, power, times
from .profiling import Candidate
from .snapshots import SnapshotPlan, observed_window
from .tables import CanonicalTables
from .taxonomy import PageRule

_KINDS = "leak_audit_kinds"
_IGNORED = frozenset({"owner"})  # profiling leaves it out, and says why


@dataclass(frozen=True)
class ColumnRules:
    """What the configuration says of columns and kinds of event.

    Attributes
    ----------
    exclude, include : sequence of str
        Names that are out anyway, and names to keep whatever the audit finds.
    known_when : mapping of str to {"before", "after"}
        Columns that are declared to be known before the snapshot, or only after it.
    """

    exclude: Sequence[str] = ()
    include: Sequence[str] = ()
    known_when: Mapping[str, KnownWhen] = field(default_factory=dict)

    def declared(self, names: Collection[str]) -> KnownWhen | None:
        """Return what is declared of the column that goes by these names."""
        return next((when for name, when in self.known_when.items() if name in names), None)


@dataclass(frozen=True)
class LeakAudit:
    """What the audit found.

    Attributes
    ----------
    leaks : tuple of Leak
        Certain ones first, each kind in the order of the tables.
    leads : AuditedLeads
        The leads that it looked at.
    notes : tuple of str
        One for each bulk write in a history.
    """

    leaks: tuple[Leak, ...]
    leads: AuditedLeads
    notes: tuple[str, ...]

    @property
    def excluded(self) -> tuple[str, ...]:
        """Names for ``exclude`` of ``define_features``."""
        return tuple(leak.kept_as for leak in self.leaks if leak.excluded and leak.kept_as)


def audit_leaks(
    engine: DuckDBEngine,
    tables: CanonicalTables,
    snapshots: Path,
    plan: SnapshotPlan,
    *,
    rules: ColumnRules,
    page_rules: Sequence[PageRule],
) -> LeakAudit:
    """Judge each column of leads and accounts, and each kind of event, that may become a feature.

    Parameters
    ----------
    snapshots : Path
        Parquet of the training snapshots; more than 50,000 leads are sampled.
    plan : SnapshotPlan
    rules : ColumnRules
    page_rules : sequence of PageRule
        The kinds of page, as ``define_features`` takes them.

    Raises
    ------
    ConfigError
        ``known_when`` names a column that the data does not have.
    """
    columns = own_values(profile_candidates(engine, tables))
    _check_declared(rules, columns)
    excluded = set(rules.exclude)
    columns = tuple(
        each for each in columns if not each.names & excluded and each.column.column not in _IGNORED
    )
    until = None if tables.is_flat else observed_window(engine, tables, plan).observed_until
    with engine.temporary_table(OUTCOMES, outcomes_sql(tables, snapshots, until)):
        leads = audited_leads(engine, tables, columns)
        found = _columns(leads, rules)
        found += _orders(leads)
        notes: list[str] = []
        if not tables.is_flat:
            found = _with_histories(engine, tables, leads, rules, found)
            found += _events(engine, tables, rules, page_rules, float(leads.won.mean()))
            if tables.has("profile_history"):
                rows = engine.rows(
                    leaks_records.backfills_sql(tables, "CAST(changed_at AS VARCHAR)")
                )
                notes = leaks_records.backfill_notes(rows)
    return LeakAudit(
        tuple(sorted(found, key=lambda leak: leak.verdict == "suspect")), leads, tuple(notes)
    )


def _check_declared(rules: ColumnRules, columns: Sequence[Candidate]) -> None:
    known = {name for each in columns for name in each.names}
    for name in rules.known_when:
        if name not in known:
            raise ConfigError(
                f"features.known_when: nothing in the data is called {name!r}."
                f"{did_you_mean(name, sorted(known))}",
                hint="Name a column of leads or accounts: known_when: {column: before} or after.",
            )


@dataclass(frozen=True)
class _Judged:
    """What the audit knows of one column before it judges it."""

    candidate: Candidate
    values: pd.Series
    score: NDArray[np.float64]
    power: Power
    declared: KnownWhen | None


def _columns(leads: AuditedLeads, rules: ColumnRules) -> list[Leak]:
    """Judge the columns by their values; declared to be known before, none is suspect."""
    judged = dict(_judged(leads, rules))
    proofs = {told: _certain(each, leads) for told, each in judged.items()}
    certain = {told: proof for told, proof in proofs.items() if proof is not None}
    rest = {told: each for told, each in judged.items() if told not in certain}
    open_to_doubt = [told for told, each in rest.items() if each.declared is None]
    suspects = leaks_suspicion.strong_alone(
        {told: each.power for told, each in rest.items()}, open_to_doubt
    )
    for told in open_to_doubt:
        doubt = suspects.get(told) or _doubt(rest[told], leads)
        if doubt is not None:
            suspects[told] = doubt
    others = [told for told in open_to_doubt if told not in suspects]
    together = dict(leaks_suspicion.filled_together(leads.values, suspects, others))
    leaky = {**certain, **suspects, **together}
    return [
        _leak(each.candidate, leaky[told], rules) for told, each in judged.items() if told in leaky
    ]


def _judged(leads: AuditedLeads, rules: ColumnRules) -> Iterator[tuple[str, _Judged]]:
    time = times(leads.order)
    for told, candidate in leads.columns.items():
        values = leads.values[told]
        score = cross_fitted(codes(values), leads.won, leads.group)
        found = power(score, leads.won, time)
        yield told, _Judged(candidate, values, score, found, rules.declared(candidate.names))


def _certain(each: _Judged, leads: AuditedLeads) -> Evidence | None:
    if each.declared == "after":
        return Evidence(
            "the configuration declares that it is known only after the snapshot",
            "features.known_when",
        )
    found = (
        leaks_evidence.dated_after_close(each.values, leads)
        or leaks_evidence.present_only_with_deals(each.values, leads)
        or leaks_evidence.missing_is_outcome(each.values, leads)
    )
    if found is None and not each.candidate.column.has_history:
        found = leaks_evidence.repeats_outcome(each.power, leads)
    return found if found and found.is_certain else None


def _doubt(each: _Judged, leads: AuditedLeads) -> Evidence | None:
    return (
        leaks_evidence.missing_is_outcome(each.values, leads)
        or leaks_suspicion.named_as_state(each.candidate.column.column, each.power)
        or leaks_suspicion.one_class_only(each.values, leads)
        or leaks_suspicion.changes_with_age(each.score, leads)
    )


def _leak(candidate: Candidate, evidence: Evidence, rules: ColumnRules) -> Leak:
    kept = bool(candidate.names & set(rules.include))
    return Leak(
        table=candidate.column.table,
        column=candidate.column.column,
        verdict="certain" if evidence.is_certain else "suspect",
        reason=evidence.reason,
        evidence=evidence.evidence,
        excluded=evidence.is_certain and not kept,
        kept_as=candidate.told,
    )


def _orders(leads: AuditedLeads) -> list[Leak]:
    return [
        Leak(
            table="leads",
            column=name,
            verdict="certain" if evidence.is_certain else "suspect",
            reason=evidence.reason,
            evidence=evidence.evidence,
            excluded=evidence.is_certain,
            kept_as="",
        )
        for name, evidence in leaks_evidence.order_carries_outcome(leads)
    ]


def _with_histories(
    engine: DuckDBEngine,
    tables: CanonicalTables,
    leads: AuditedLeads,
    rules: ColumnRules,
    found: list[Leak],
) -> list[Leak]:
    """Add what histories of fields show; it outweighs what their values raised."""
    if not tables.has("profile_history"):
        return found
    for row in engine.rows(leaks_records.first_values_sql(tables)):
        first = leaks_records.FirstValues(*row)
        told = f"{first.entity}s.{first.field}"
        evidence = leaks_records.set_at_close(first)
        if evidence is None or told not in leads.columns:
            continue
        found = [leak for leak in found if leak.told != told]
        found.append(_leak(leads.columns[told], evidence, rules))
    return found


def _events(
    engine: DuckDBEngine,
    tables: CanonicalTables,
    rules: ColumnRules,
    page_rules: Sequence[PageRule],
    base: float,
) -> list[Leak]:
    if not tables.has("events"):
        return []
    found = []
    events = tables.relation("events")
    with event_kinds(engine, tables, page_rules, events, name=_KINDS) as page_types:
        address = address_sql(tables, page_types, "e.")
        sql = leaks_records.first_events_sql(tables, _KINDS, address, rules.exclude)
        for row in engine.rows(sql):
            first = leaks_records.FirstEvents(*row)
            evidence = leaks_records.at_close(first, base)
            if evidence is None:
                continue
            kept = bool({first.kind, first.name} & set(rules.include))
            found.append(
                Leak(
                    table="events",
                    column=first.kind,
                    verdict="certain" if evidence.is_certain else "suspect",
                    reason=evidence.reason,
                    evidence=evidence.evidence,
                    excluded=evidence.is_certain and not kept,
                    kept_as=first.kind,
                )
            )
    return found
