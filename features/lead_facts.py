"""Facts that decide a lead's state: what had happened, and was known, strictly before a run.

For each lead created before ``as_of``: its last own act, its last hand-raise, its deals, the last
verdict of sales, whether it opted out, and whether a rule says that it does not fit. All from the
canonical tables, with the meaning that snapshots and features give them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .engines import DuckDBEngine
from .errors import ConfigError, SourceError, did_you_mean
from .funnel import HAND_RAISE, funnel_stage, is_opt_in, is_opt_out, is_own_act
from .outcomes import attributed_deals_sql
from .sources.expression import check_expression, read_expression
from .sql import identifier, literal
from .tables import CanonicalTables
from .taxonomy import feature_name
from .titles import seniority_sql

STUDENT = "student"
_STUDENT_ADDRESS = r"@(.*\.)?(students?|stud|alumni)[.-]"


@dataclass(frozen=True)
class FactRules:
    """What a project says of facts.

    Attributes
    ----------
    hand_raises : collection of str
        Event types that ask for sales, beside those that leadlight knows.
    disqualifying : collection of str
        Reasons of a rejection that rule a lead out for good; case and outer spaces do not count.
    students : bool
        Whether students, interns and apprentices are a bad fit.
    bad_fit : mapping of str to str
        Name of a rule -> SQL condition over the columns of ``leads``.
    crm_column : str or None
        Column of ``leads`` with the CRM's own stage.
    crm_states : mapping of str to str
        The CRM's stage -> the state that it sets.
    """

    hand_raises: Collection[str] = ()
    disqualifying: Collection[str] = ()
    students: bool = True
    bad_fit: Mapping[str, str] = field(default_factory=dict)
    crm_column: str | None = None
    crm_states: Mapping[str, str] = field(default_factory=dict)

    @property
    def rule_names(self) -> tuple[str, ...]:
        """Names of the rules that ``bad_fit`` of the facts numbers."""
        return ((STUDENT,) if self.students else ()) + tuple(self.bad_fit)


@dataclass(frozen=True)
class EventRoles:
    """Event types, as the source writes them, by what they say of a lead.

    Attributes
    ----------
    acts, hand_raises, opt_outs, opt_ins : tuple of str
    """

    acts: tuple[str, ...]
    hand_raises: tuple[str, ...]
    opt_outs: tuple[str, ...]
    opt_ins: tuple[str, ...]

    @classmethod
    def of(cls, event_types: Sequence[str], hand_raises: Collection[str] = ()) -> "EventRoles":
        """Sort event types; those in ``hand_raises`` ask for sales, whatever their name."""
        kinds = {event_type: feature_name(event_type) for event_type in event_types}
        raising = {feature_name(each) for each in hand_raises}
        raised = [
            each
            for each, kind in kinds.items()
            if kind in raising or funnel_stage(kind) == HAND_RAISE
        ]
        return cls(
            acts=tuple(each for each, kind in kinds.items() if is_own_act(kind)),
            hand_raises=tuple(raised),
            opt_outs=tuple(each for each, kind in kinds.items() if is_opt_out(kind)),
            opt_ins=tuple(
                each for each, kind in kinds.items() if each in raised or is_opt_in(kind)
            ),
        )


def lead_facts(
    engine: DuckDBEngine, tables: CanonicalTables, as_of: datetime, rules: FactRules
) -> str:
    """Return SQL for the facts, once the rules were checked against the project's tables.

    Raises
    ------
    ConfigError
        A rule or the CRM's stage speaks of a column that ``leads`` does not have, or is no SQL.
    """
    _require_columns(engine, tables, rules)
    event_types: list[str] = []
    if tables.has("events", "lead_id"):
        found = engine.rows(
            f"SELECT DISTINCT event_type FROM {tables.relation('events')} ORDER BY 1"
        )
        event_types = [event_type for (event_type,) in found]
    return lead_facts_sql(tables, as_of, EventRoles.of(event_types, rules.hand_raises), rules)


def lead_facts_sql(
    tables: CanonicalTables, as_of: datetime, roles: EventRoles, rules: FactRules
) -> str:
    """Return SQL for the facts of each lead created before ``as_of``.

    Columns: ``lead_id``; ``created_at``; ``last_activity_at`` (its creation at least; NULL where
    the project has no events); ``hand_raised_at`` (when it became known); ``won_at``, ``lost_at``;
    ``accepted_at``, ``rejected_at`` (of the last verdict, one of the two); ``verdict_reason``;
    ``open_deal``, ``disqualified``, ``unsubscribed`` (BOOLEAN); ``bad_fit`` (number of the first
    rule that holds, -1 for none); ``crm_state`` (NULL where the CRM sets none).

    Parameters
    ----------
    as_of : datetime
        Aware; what happened or became known at it or later is not seen.
    """
    now = literal(as_of)
    activity = "NULL::TIMESTAMPTZ"
    if tables.has("events", "lead_id"):
        activity = "greatest(l.created_at, coalesce(e.acted_at, l.created_at))"
    return f"""
        WITH leads AS ({_leads_sql(tables, now, rules)}),
        told AS ({_events_sql(tables, now, roles)}),
        deals AS ({_deals_sql(tables, as_of)}),
        verdicts AS ({_verdicts_sql(tables, now)})
        SELECT l.lead_id, l.created_at, {activity} AS last_activity_at, e.hand_raised_at,
            d.won_at, d.lost_at,
            CASE WHEN v.accepted THEN v.decided_at END AS accepted_at,
            CASE WHEN NOT v.accepted THEN v.decided_at END AS rejected_at,
            v.reason AS verdict_reason,
            coalesce(d.open_deal, FALSE) AS open_deal,
            coalesce(NOT v.accepted AND {_disqualifies_sql(rules)}, FALSE) AS disqualified,
            coalesce(e.opted_out_at >= coalesce(e.opted_in_at, '-infinity'), FALSE) AS unsubscribed,
            l.bad_fit, l.crm_state
        FROM leads l
        LEFT JOIN told e ON e.lead_id = l.lead_id
        LEFT JOIN deals d ON d.lead_id = l.lead_id
        LEFT JOIN verdicts v ON v.lead_id = l.lead_id
    """


def _leads_sql(tables: CanonicalTables, now: str, rules: FactRules) -> str:
    return (
        f"SELECT l.lead_id, l.created_at, {_bad_fit_sql(tables, rules)} AS bad_fit,"
        f" {_crm_state_sql(tables, now, rules)} AS crm_state"
        f" FROM {tables.relation('leads')} l WHERE l.created_at < {now}"
    )


def _events_sql(tables: CanonicalTables, now: str, roles: EventRoles) -> str:
    """Last event of each role by lead: summed up by name first, as a name has many events."""
    if not tables.has("events", "lead_id"):
        return (
            "SELECT NULL::VARCHAR AS lead_id, NULL::TIMESTAMPTZ AS acted_at,"
            " NULL::TIMESTAMPTZ AS hand_raised_at, NULL::TIMESTAMPTZ AS opted_out_at,"
            " NULL::TIMESTAMPTZ AS opted_in_at WHERE FALSE"
        )
    known = "occurred_at"
    if tables.has("events", "recorded_at"):
        known = "greatest(occurred_at, coalesce(recorded_at, occurred_at))"
    leads = tables.relation("leads")
    names = f"SELECT lead_id AS name, lead_id, '-infinity'::TIMESTAMPTZ AS linked_at FROM {leads}"
    if tables.has("identities"):
        names += (
            " UNION ALL SELECT alias, lead_id, min(linked_at)"
            f" FROM {tables.relation('identities')} WHERE alias <> lead_id GROUP BY alias, lead_id"
        )

    def last(moment: str, role: Sequence[str]) -> str:
        return f"max({moment}) FILTER ({_is_one_of('event_type', role)})"

    def since_linked(column: str) -> str:
        return f"max(CASE WHEN {column} < linked_at THEN linked_at ELSE {column} END) AS {column}"

    return f"""
        SELECT lead_id, max(acted_at) AS acted_at, {since_linked("hand_raised_at")},
            {since_linked("opted_out_at")}, {since_linked("opted_in_at")}
        FROM (
            SELECT lead_id AS name, {last("occurred_at", roles.acts)} AS acted_at,
                {last(known, roles.hand_raises)} AS hand_raised_at,
                {last(known, roles.opt_outs)} AS opted_out_at,
                {last(known, roles.opt_ins)} AS opted_in_at
            FROM {tables.relation("events")}
            WHERE lead_id IS NOT NULL AND {known} < {now} GROUP BY ALL
        ) JOIN ({names}) USING (name) WHERE linked_at < {now} GROUP BY lead_id
    """


def _deals_sql(tables: CanonicalTables, as_of: datetime) -> str:
    now = literal(as_of)
    # As the at-risk population has it: an open deal without a date was opened just before.
    deals = attributed_deals_sql(tables, as_of - timedelta(microseconds=1))
    return f"""
        SELECT lead_id, max(closed_at) FILTER (won AND closed_at < {now}) AS won_at,
            max(closed_at) FILTER (NOT won AND closed_at < {now}) AS lost_at,
            bool_or(opened_at < {now} AND coalesce(closed_at >= {now}, TRUE)) AS open_deal
        FROM ({deals}) GROUP BY lead_id
    """


def _verdicts_sql(tables: CanonicalTables, now: str) -> str:
    if not tables.has("feedback"):
        return (
            "SELECT NULL::VARCHAR AS lead_id, NULL::TIMESTAMPTZ AS decided_at,"
            " NULL::BOOLEAN AS accepted, NULL::VARCHAR AS reason WHERE FALSE"
        )
    reason = "nullif(trim(reason), '')" if tables.has("feedback", "reason") else "NULL::VARCHAR"
    return (
        f"SELECT lead_id, decided_at, accepted, {reason} AS reason"
        f" FROM {tables.relation('feedback')} WHERE decided_at < {now}"
        " QUALIFY row_number() OVER (PARTITION BY lead_id ORDER BY decided_at DESC, accepted) = 1"
    )


def _disqualifies_sql(rules: FactRules) -> str:
    return _is_one_of(
        "lower(v.reason)", sorted({each.strip().lower() for each in rules.disqualifying})
    )


def _bad_fit_sql(tables: CanonicalTables, rules: FactRules) -> str:
    conditions = [_student_sql(tables)] if rules.students else []
    # The line break ends a comment at the end of the user's text.
    conditions += [f"({condition}\n)" for condition in rules.bad_fit.values()]
    cases = " ".join(f"WHEN {each} THEN {number}" for number, each in enumerate(conditions))
    return f"CAST(CASE {cases} ELSE -1 END AS TINYINT)" if cases else "CAST(-1 AS TINYINT)"


def _student_sql(tables: CanonicalTables) -> str:
    parts = ["FALSE"]
    if tables.has("leads", "job_title"):
        parts.append(f"({seniority_sql('l.job_title')}) IS NOT DISTINCT FROM {literal(STUDENT)}")
    if tables.has("leads", "email"):
        parts.append(f"regexp_matches(lower(l.email), {literal(_STUDENT_ADDRESS)})")
    return f"({' OR '.join(parts)})"


def _crm_state_sql(tables: CanonicalTables, now: str, rules: FactRules) -> str:
    """Return the state that the CRM sets, as its history tells, or else as the column has it."""
    if rules.crm_column is None:
        return "NULL::VARCHAR"
    stage = f"CAST(l.{identifier(rules.crm_column)} AS VARCHAR)"
    if tables.has("profile_history"):
        history = (
            f"FROM {tables.relation('profile_history')} h WHERE h.entity = 'lead'"
            f" AND h.field = {literal(rules.crm_column)} AND h.id = l.lead_id AND h.changed_at"
        )
        old = "h.old_value" if tables.has("profile_history", "old_value") else "NULL::VARCHAR"
        stage = (
            f"CASE WHEN EXISTS (SELECT 1 {history} < {now})"
            f" THEN (SELECT arg_max(h.new_value, h.changed_at) {history} < {now})"
            f" WHEN EXISTS (SELECT 1 {history} >= {now})"
            f" THEN (SELECT arg_min({old}, h.changed_at) {history} >= {now}) ELSE {stage} END"
        )
    cases = " ".join(
        f"WHEN {literal(name)} THEN {literal(state)}" for name, state in rules.crm_states.items()
    )
    return f"CASE {stage} {cases} END" if cases else "NULL::VARCHAR"


def _is_one_of(column: str, values: Sequence[str]) -> str:
    return f"{column} IN ({', '.join(map(literal, values))})" if values else "FALSE"


def _require_columns(engine: DuckDBEngine, tables: CanonicalTables, rules: FactRules) -> None:
    columns = dict.fromkeys(tables.columns["leads"], "VARCHAR")
    if rules.crm_column is not None and rules.crm_column not in columns:
        raise ConfigError(
            f"lifecycle.crm_stage.column: leads have no column '{rules.crm_column}'."
            f"{did_you_mean(rules.crm_column, columns)}",
            hint=f"Leads have: {', '.join(columns)}.",
        )
    for name, condition in rules.bad_fit.items():
        key = f"lifecycle.bad_fit.{name}"
        try:
            read = read_expression(engine, condition, key=key, label="leads", columns=columns)
        except SourceError as error:
            raise ConfigError(error.message, hint=error.hint) from error
        wrong = check_expression(engine, read, tables.relation("leads"))
        if wrong:
            raise ConfigError(f"{key}: {condition!r} does not fit the columns: {wrong}")
