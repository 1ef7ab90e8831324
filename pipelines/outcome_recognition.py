"""Recognising outcomes: deals, decisions in an event log, conversions stamped on leads."""

from collections.abc import Iterator

from leadlight.features.sql import literal

from .column_roles import Recognised, by_rank, is_called, named_columns
from .column_words import (
    DEAL_KEYS,
    LABELS,
    LOST_WORDS,
    NAMES,
    NO,
    WON_WORDS,
    YES,
    compact,
    sql_name,
)
from .raw_tables import RawColumn, RawTable


def outcomes_of_table(table: RawTable, links: dict[str, str]) -> Recognised | None:
    """Recognise a table of deals: a closing time, and something that says which were won."""
    closing = closing_column(table)
    if closing is None:
        return None
    used = {closing.name, *links.values()}
    named = named_columns(table, "outcomes", used=used) | {"closed_at": closing.name}
    won = _won_expression(table, named, closing)
    if won is None:
        return None
    named.pop("won", None)
    key = next((c for c in by_rank(table, DEAL_KEYS) if c.is_key and c.name not in used), None)
    deal = {"deal_id": key.name} if key else {}
    expression, remark = won
    return Recognised("outcomes", table, {**deal, **links, **named}, {"won": expression}, (remark,))


def closing_column(table: RawTable) -> RawColumn | None:
    """Find the time at which deals close, in a table that is called or looks like deals."""
    names = NAMES["outcomes"]["closed_at"]
    column = next((c for c in by_rank(table, names) if c.kind in {"time", "empty"}), None)
    if column is None:
        return None
    is_sure = compact(column.name).startswith(("clos", "won", "dateclos", "datewon"))
    has_stage = {"won", "stage"} & set(named_columns(table, "outcomes", used={column.name}))
    is_deal = is_called(table, "outcomes") or compact(column.name).startswith("won")
    return column if is_sure and (has_stage or is_deal) else None


def _won_expression(
    table: RawTable, named: dict[str, str], closing: RawColumn
) -> tuple[str, str] | None:
    """Return the SQL condition for a win, and what to check about it."""
    if "won" in named and (expression := yes_condition(table.column(named["won"]))):
        return expression, f"a win is where {expression}"
    if "stage" in named:
        stage = table.column(named["stage"])
        won = [value for value in stage.distinct if WON_WORDS.search(value.lower())]
        if won:
            expression = _is_one_of(stage.name, won)
            seen = ", ".join(stage.distinct[:8])
            return expression, f"a win is where {expression}; stages seen: {seen}"
    if compact(closing.name).startswith(("won", "datewon")) and closing.values:
        return "true", f"every row is taken as a win, at its '{closing.name}'"
    return None


def split_event_log(events: Recognised) -> Iterator[Recognised]:
    """Split outcomes off an event log that says who converted."""
    column = events.columns.get("event_type")
    if events.table != "events" or column is None or "lead_id" not in events.columns:
        yield events
        return
    types = events.raw.column(column).distinct
    won = [name for name in types if WON_WORDS.search(name.lower())]
    if not won:
        yield events
        return
    lost = [name for name in types if LOST_WORDS.search(name.lower())]
    prefix = won[0][: len(WON_WORDS.sub("", won[0].lower()))] if len(won) == 1 else ""
    same_kind = [name for name in lost if name.startswith(prefix)]
    closing = [*won, *same_kind]
    remark = f"wins and losses are taken from the event log: {', '.join(closing)}"
    where = _is_none_of(column, [*won, *lost])
    if len(events.raw.column(column).values) < events.raw.column(column).rows:
        where = f"{sql_name(column)} IS NULL OR {where}"
    yield Recognised(
        "events",
        events.raw,
        events.columns,
        {"where": where},
        (*events.remarks, "leave out every other type that is known only with the outcome"),
    )
    links = {
        name: events.columns[name] for name in ("lead_id", "account_id") if name in events.columns
    }
    yield Recognised(
        "outcomes",
        events.raw,
        {**links, "closed_at": events.columns["occurred_at"], "stage": column},
        {"where": _is_one_of(column, closing), "won": _is_one_of(column, won)},
        (remark,),
    )


def conversions_of_leads(leads: Recognised) -> list[Recognised]:
    """Take wins from the leads themselves, where the CRM stamps the time of conversion."""
    names = NAMES["outcomes"]["closed_at"]
    stamps = [c for c in by_rank(leads.raw, names) if c.kind == "time"]
    used = {leads.columns["created_at"]}
    closing = next((column for column in stamps if column.name not in used), None)
    if closing is None:
        return []
    labels = by_rank(leads.raw, LABELS)
    label, won = next(
        ((column.name, yes) for column in labels if (yes := yes_condition(column))), (None, "true")
    )
    columns = {"lead_id": leads.columns["lead_id"], "closed_at": closing.name}
    settings = {"where": f"{sql_name(closing.name)} IS NOT NULL", "won": won}
    remark = f"wins are taken from the leads themselves, at their '{closing.name}'"
    return [Recognised("outcomes", leads.raw, columns, settings, (remark,), label)]


def yes_condition(column: RawColumn) -> str | None:
    """Return the SQL condition for "yes" of a column with two values, one yes and one no."""
    values = column.distinct
    yes = [value for value in values if value.lower() in YES]
    no = [value for value in values if value.lower() in NO]
    if len(values) != 2 or len(yes) != 1 or len(no) != 1:
        return None
    if column.kind == "number":
        return f"{sql_name(column.name)} = {yes[0]}"
    if yes[0].lower() == "true":
        return sql_name(column.name)
    return f"{sql_name(column.name)} = {literal(yes[0])}"


def _is_one_of(column: str, values: list[str]) -> str:
    if len(values) == 1:
        return f"{sql_name(column)} = {literal(values[0])}"
    return f"{sql_name(column)} IN ({', '.join(map(literal, values))})"


def _is_none_of(column: str, values: list[str]) -> str:
    if len(values) == 1:
        return f"{sql_name(column)} <> {literal(values[0])}"
    return f"{sql_name(column)} NOT IN ({', '.join(map(literal, values))})"
