"""A new feature definition, decided from the data of the training snapshots."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from leadlight.features.definition import (
    DefinedFeatures,
    FeatureDefinition,
    ProfileColumn,
    TableName,
)
from leadlight.features.errors import ConfigError, did_you_mean
from leadlight.features.profile import completeness_sql, types_sql
from leadlight.features.profiling import (
    Candidate,
    ColumnStatistics,
    candidates,
    form_columns,
    named_apart,
    site_candidate,
    statistics_sql,
    why_not,
)
from leadlight.features.sql import parquet
from leadlight.features.tables import CanonicalTables
from leadlight.features.taxonomy import DEFAULT_PAGE_RULES, PageRule, feature_name

from .duckdb import DuckDBEngine
from .event_families import (
    MIN_LEADS,
    KindMeasures,
    account_families,
    email_rates,
    history_families,
    kind_measures,
)
from .event_filing import MEMBERS, NAMES, event_store
from .event_kinds import EventKind
from .event_names import leads_sql, owners_sql
from .event_store import EventStore
from .event_stream import known_sql
from .profile_lookups import profile_lookups

MAX_KINDS = 50
_LEADS, _OWNERS = "feature_definition_leads", "feature_definition_owners"
_FEW_FIELDS = 3
_AGE = frozenset({"form_completeness", "created_at", "leads.created_at", "lead_age_days"})


def define_features(
    engine: DuckDBEngine,
    tables: CanonicalTables,
    snapshots: Path,
    *,
    lookback_days: Sequence[int] = (7, 30, 90),
    exclude: Sequence[str] = (),
    include: Sequence[str] = (),
    engagement: Sequence[str] = (),
    page_rules: Sequence[PageRule] = DEFAULT_PAGE_RULES,
    half_life_days: float = 14.0,
    timezone: str = "UTC",
    store: Path | None = None,
) -> DefinedFeatures:
    """Decide which features describe the leads of the training snapshots.

    Kinds of event that at least 20 leads had in their snapshots' past have features of their own,
    the 50 most common at most. Columns of leads and accounts serve if they describe: ids, names,
    addresses, dates, free text and constants are left out, each with a note.

    Parameters
    ----------
    snapshots : Path
        Parquet of the training snapshots.
    lookback_days : sequence of int
        Windows before ``as_of``, in days.
    exclude : sequence of str
        Columns (``lifecyclestage``, ``accounts.country``), event types or kinds, or features
        (``lead_age_days``) to leave out; an excluded kind of event does not count in totals either.
    include : sequence of str
        Columns to use whatever the profiling says.
    engagement : sequence of str
        Columns that say what a lead did, not who it is.
    page_rules : sequence of PageRule
        The first match wins.
    half_life_days : float
        An event's part in the intensity halves in this time.
    timezone : str
        IANA name of the zone whose clock tells evenings and weekends.
    store : Path, optional
        Where ``compute_features`` keeps events; it finds them there.

    Raises
    ------
    ConfigError
        A name that the data does not know, a lookback below one day, a pattern that is no regular
        expression.
    """
    days = tuple(sorted(set(lookback_days)))
    if days and days[0] < 1:
        raise ConfigError(f"features.lookback_days: {days[0]} is below one day")
    rules = _checked_rules(engine, page_rules)
    source = parquet(snapshots)
    found = profile_candidates(engine, tables)
    with _events(engine, tables, rules, source, store) as held:
        events = _event_names(held.kinds) if held else {}
        _check_names(
            {"exclude": exclude, "include": include, "engagement": engagement}, found, events
        )
        out = tuple(sorted({events[name] for name in exclude if name in events}))
        known = _common_kinds(engine, tables, held, out)
    kinds = tuple(sorted(known.events))
    with profile_lookups(engine, tables, [each.column for each in found]):
        columns, column_notes = _columns(engine, tables, source, found, set(exclude), set(include))
    deeds = {each.column.column for each in found if each.names & set(engagement)}
    definition = FeatureDefinition(
        lookback_days=days,
        event_kinds=kinds,
        profile=columns,
        page_rules=rules,
        has_age=_AGE.isdisjoint(exclude) and _age_varies(engine, tables, source),
        engagement=tuple(sorted(deeds)),
        excluded_kinds=out,
        active_days_of=known.measures.active_days_of,
        details_of=known.measures.details_of,
        values_of=known.measures.values_of,
        half_life_days=half_life_days,
        timezone=timezone,
        email_rates=email_rates(known.events),
        account=account_families(engine, tables, source, has_kinds=bool(kinds)),
        history=history_families(engine, tables, source, kinds),
        form=_form(engine, tables, source, exclude),
    )
    return DefinedFeatures(definition, (*known.notes, *column_notes))


def _checked_rules(engine: DuckDBEngine, rules: Sequence[PageRule]) -> tuple[PageRule, ...]:
    checked = []
    for rule in rules:
        try:
            engine.rows("SELECT regexp_matches('', ?)", [rule.pattern])
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise ConfigError(
                f"features.pages: {rule.pattern!r} is not a regular expression ({reason})",
                hint="Patterns follow RE2: https://github.com/google/re2/wiki/Syntax",
            ) from error
        checked.append(PageRule(feature_name(rule.kind), rule.pattern))
    return tuple(checked)


def profile_candidates(engine: DuckDBEngine, tables: CanonicalTables) -> tuple[Candidate, ...]:
    """Return every column that may become a feature, in order, before its values are looked at."""
    types = _types(engine, tables)
    found = [
        each for table, columns in types.items() for each in candidates(table, columns.items())
    ]
    site = site_candidate(types)
    if site is not None:
        found.append(site)
    told = _histories(engine, tables)
    columns = [
        replace(each.column, has_history=(each.column.table, each.column.column) in told)
        for each in found
    ]
    return tuple(
        Candidate(column, candidate.sql_type)
        for column, candidate in zip(named_apart(columns), found, strict=True)
    )


def _types(engine: DuckDBEngine, tables: CanonicalTables) -> dict[TableName, dict[str, str]]:
    names: list[TableName] = ["leads"]
    if tables.has("accounts") and tables.has("leads", "account_id"):
        names.append("accounts")
    return {name: dict(engine.rows(types_sql(tables, name))) for name in names}


def _histories(engine: DuckDBEngine, tables: CanonicalTables) -> set[tuple[str, str]]:
    """Return the columns whose changes are known, each with its table."""
    if tables.is_flat or not tables.has("profile_history"):
        return set()
    rows = engine.rows(f"SELECT DISTINCT entity, field FROM {tables.relation('profile_history')}")
    return {(f"{entity}s", field) for entity, field in rows}


def _form(
    engine: DuckDBEngine, tables: CanonicalTables, snapshots: str, exclude: Collection[str]
) -> tuple[str, ...]:
    """Find the fields of the form; none where all leads fill in as many."""
    form = form_columns(_types(engine, tables)["leads"])
    form = tuple(name for name in form if not {name, f"leads.{name}"} & set(exclude))
    if len(form) < _FEW_FIELDS or "form_completeness" in exclude:
        return ()
    share = completeness_sql(form, "l")
    ((least, most),) = engine.rows(
        f"SELECT min({share}), max({share}) FROM {tables.relation('leads')} l"
        f" WHERE lead_id IN (SELECT lead_id FROM {snapshots})"
    )
    return form if least != most else ()


@contextmanager
def _events(
    engine: DuckDBEngine,
    tables: CanonicalTables,
    rules: Sequence[PageRule],
    snapshots: str,
    store: Path | None,
) -> Iterator[EventStore | None]:
    """Hold the event store; None where no event can be seen."""
    if not tables.has("events") or tables.is_flat:
        yield None
        return
    with (
        engine.scratch() as scratch,
        event_store(engine, tables, rules, snapshots, store or scratch) as held,
    ):
        yield held


def _event_names(kinds: Sequence[EventKind]) -> dict[str, str]:
    """Return what events may be called, with the kind or the name of kinds that it means."""
    return {each.kind: each.kind for each in kinds} | {each.event_type: each.name for each in kinds}


def _check_names(
    settings: Mapping[str, Sequence[str]], found: Iterable[Candidate], events: Iterable[str]
) -> None:
    columns = {name for candidate in found for name in candidate.names}
    everything = columns | set(events) | _AGE
    for setting, names in settings.items():
        known = columns if setting == "engagement" else everything
        for name in names:
            if name not in known:
                raise ConfigError(
                    f"features.{setting}: nothing in the data is called {name!r}."
                    f"{did_you_mean(name, sorted(known))}",
                    hint="Name a column of leads or accounts"
                    + ("." if setting == "engagement" else ", or a type of event."),
                )
    for name in settings["include"]:
        if name in settings["exclude"]:
            raise ConfigError(f"features: {name!r} is both included and excluded")


@dataclass(frozen=True)
class _CommonKinds:
    """Events of each kind that enough leads had, what to measure of them, and what was left out."""

    events: dict[str, int]
    measures: KindMeasures
    notes: tuple[str, ...]


def _common_kinds(
    engine: DuckDBEngine,
    tables: CanonicalTables,
    held: EventStore | None,
    excluded: Sequence[str],
) -> _CommonKinds:
    """Find the kinds that enough leads had before their last snapshot."""
    if held is None:
        flat = tables.has("events")
        reason = "events are not used: the rows of leads carry labels but no time"
        return _CommonKinds({}, KindMeasures(), (reason,) if flat else ())
    kinds = {
        code: each.kind
        for code, each in enumerate(held.kinds)
        if not {each.kind, each.name} & set(excluded)
    }
    known = known_sql(held.relation, _OWNERS, kinds)
    with (
        engine.temporary_table(_LEADS, leads_sql(MEMBERS, whole_accounts=False)),
        engine.temporary_table(_OWNERS, owners_sql(tables, _LEADS, NAMES)),
    ):
        counts = engine.rows(
            f"SELECT kind, count(DISTINCT lead) AS n, count(*) FROM ({known}) s"
            f" JOIN {_LEADS} l ON s.lead = l.code"
            " WHERE known_at < epoch_us(l.last_as_of) GROUP BY kind ORDER BY n DESC, kind"
        )
        common = {kind: events for kind, n, events in counts if n >= MIN_LEADS}
        common = dict(list(common.items())[:MAX_KINDS])
        measures = kind_measures(engine, known, _LEADS, tuple(common))
    rare = sorted(kind for kind, _, _ in counts if kind not in common)
    notes = [f"events of kind {kind} are left out, as configured" for kind in excluded]
    if rare:
        shown = ", ".join(rare[:10]) + (", ..." if len(rare) > 10 else "")
        few = f"fewer than {MIN_LEADS} leads had them, or {MAX_KINDS} kinds are more common"
        notes.append(f"events of {len(rare)} kinds count in totals only ({few}): {shown}")
    return _CommonKinds(common, measures, tuple(notes))


def _columns(
    engine: DuckDBEngine,
    tables: CanonicalTables,
    source: str,
    found: Sequence[Candidate],
    exclude: set[str],
    include: set[str],
) -> tuple[tuple[ProfileColumn, ...], list[str]]:
    kept, notes = [], []
    for candidate in found:
        if candidate.names & exclude:
            continue
        reason = None
        looked_at = candidate.column.reading != "email_matches_company"  # it takes two tables
        if looked_at and not candidate.names & include:
            numbers = engine.rows(statistics_sql(tables, candidate, source))[0]
            reason = why_not(candidate, ColumnStatistics(*numbers))
        if reason is None:
            kept.append(candidate.column)
        else:
            notes.append(f"{candidate.described} is left out: {reason}")
    return tuple(kept), notes


def _age_varies(engine: DuckDBEngine, tables: CanonicalTables, source: str) -> bool:
    """Whether leads have different ages; at a fixed age, or without time, it says nothing."""
    if tables.is_flat or not tables.has("leads", "created_at"):
        return False
    leads = tables.relation("leads")
    age = "epoch_us(s.as_of) - epoch_us(l.created_at)"
    youngest, oldest = engine.rows(
        f"SELECT min({age}), max({age}) FROM {source} s JOIN {leads} l ON s.lead_id = l.lead_id"
    )[0]
    return bool(youngest != oldest)
