"""Recognising canonical tables among raw ones: by columns, by shared ids, by values.

Nothing here reads a file but through the tables it is given, and nothing is certain: what is
recognised is a proposal that a person reads.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from .column_roles import (
    Recognised,
    by_rank,
    is_called,
    is_secondary,
    key_column,
    link_column,
    named_columns,
    rank,
    same_name,
)
from .column_words import ACCOUNT_LINKS, LABELS, LEAD_LINKS, compact
from .outcome_recognition import (
    closing_column,
    conversions_of_leads,
    outcomes_of_table,
    split_event_log,
    yes_condition,
)
from .raw_tables import RawColumn, RawTable, RawTables

_FEW_TYPES = 200
_SHARED = 0.02


@dataclass(frozen=True)
class Recognition:
    """What a folder's tables are.

    Attributes
    ----------
    found : tuple of Recognised
        Leads first.
    left_out : tuple of str
        A sentence for each raw table that feeds nothing.
    """

    found: tuple[Recognised, ...]
    left_out: tuple[str, ...]

    def of(self, table: str) -> tuple[Recognised, ...]:
        """Return what feeds a canonical table."""
        return tuple(one for one in self.found if one.table == table)

    @property
    def is_flat(self) -> bool:
        """Whether leads carry their own label."""
        return any("won" in one.settings for one in self.of("leads"))


def recognise(raw: RawTables) -> Recognition:
    """Recognise leads first, then what refers to them; failing outcomes, a flat table."""
    tables = [table for table in raw.tables if table.columns and table.columns[0].rows]
    empty = [f"{table.label} has no rows" for table in raw.tables if table not in tables]
    lifecycle = _Lifecycle(tables).recognition()
    chosen = lifecycle or Recognition((), ())
    if not chosen.of("outcomes"):
        leads = [one.raw for one in chosen.of("leads")]
        chosen = _flat(leads or tables) or chosen
    used = {id(one.raw) for one in chosen.found}
    explained = " ".join(f"{sentence} " for sentence in chosen.left_out)
    others = [
        table.label
        for table in tables
        if id(table) not in used and f"{table.label} " not in explained
    ]
    unknown = [f"not recognised: {', '.join(others)}"] if others else []
    return Recognition(chosen.found, (*chosen.left_out, *unknown, *empty, *raw.unreadable))


class _Lifecycle:
    """Tables of leads, what they did, and what became of them."""

    def __init__(self, tables: list[RawTable]) -> None:
        self.tables = tables
        self.left_out: list[str] = []
        self._keys: dict[tuple[int, str], frozenset[str]] = {}

    def recognition(self) -> Recognition | None:
        leads = self._leads()
        if leads is None:
            return None
        accounts = self._accounts(leads)
        lead_columns = dict(leads.columns)
        link = link_column(leads.raw, ACCOUNT_LINKS)
        if link and (accounts is None or self._share(leads.raw, link.name, accounts) > 0):
            lead_columns["account_id"] = link.name
        leads = Recognised("leads", leads.raw, lead_columns)
        found = [leads, *([accounts] if accounts else [])]
        identities = list(self._identities(leads))
        found += identities
        for table in self.tables:
            if not any(one.raw is table for one in found):
                one = self._referring(table, leads, accounts, identities)
                if one:
                    found.append(one)
        if not any(one.table == "outcomes" for one in found):
            found = [part for one in found for part in split_event_log(one)]
        if not any(one.table == "outcomes" for one in found):
            found += conversions_of_leads(leads)
        order = ["leads", "accounts", "events", "outcomes", "feedback", "identities"]
        return Recognition(
            tuple(sorted(found, key=lambda one: order.index(one.table))), tuple(self.left_out)
        )

    def _leads(self) -> Recognised | None:
        scored = [
            (self._lead_score(table, key), -place, table, key)
            for place, table in enumerate(self.tables)
            if (key := key_column(table, "leads", LEAD_LINKS)) is not None
        ]
        scored = [item for item in scored if item[0] > 0]
        if not scored:
            return None
        *_, table, key = max(scored, key=lambda item: item[:2])
        columns = {"lead_id": key.name} | named_columns(table, "leads", used={key.name})
        return Recognised("leads", table, columns)

    def _lead_score(self, table: RawTable, key: RawColumn) -> float:
        named = named_columns(table, "leads", used={key.name})
        if "created_at" not in named or closing_column(table) is not None:
            return 0
        score = 1.0 + 0.5 * len(named) + 3 * is_called(table, "leads")
        score -= 3 * (is_called(table, "accounts") or is_called(table, "outcomes"))
        score -= 4 * is_secondary(table)
        referring = sum(
            max(
                (
                    self._share_of(column, table, key.name)
                    for column in other.columns
                    if compact(column.name) in LEAD_LINKS
                ),
                default=0.0,
            )
            for other in self.tables
            if other is not table
        )
        return max(score, 0) + 3 * min(referring, 3)

    def _accounts(self, leads: Recognised) -> Recognised | None:
        best: tuple[float, Recognised] | None = None
        for table in self.tables:
            key = key_column(table, "accounts", ACCOUNT_LINKS)
            if table is leads.raw or key is None or closing_column(table) is not None:
                continue
            columns = {"account_id": key.name} | named_columns(table, "accounts", used={key.name})
            score = 2 * is_called(table, "accounts") + 0.7 * (len(columns) - 1)
            score += compact(key.name) in ACCOUNT_LINKS
            score -= 4 * is_secondary(table) + 3 * is_called(table, "leads")
            if score >= 2 and (best is None or score > best[0]):
                best = score, Recognised("accounts", table, columns)
        return best[1] if best else None

    def _identities(self, leads: Recognised) -> Iterator[Recognised]:
        for table in self.tables:
            if table is leads.raw:
                continue
            named = named_columns(table, "identities", used=set())
            alias = named.get("alias")
            link = self._lead_link(table, leads, (), without={alias})
            if not alias or "linked_at" not in named or link is None:
                continue
            is_event = {"event_type", "detail"} & set(
                named_columns(table, "events", used={alias, link})
            )
            if not is_event:
                yield Recognised("identities", table, {**named, "lead_id": link})

    def _referring(
        self,
        table: RawTable,
        leads: Recognised,
        accounts: Recognised | None,
        identities: list[Recognised],
    ) -> Recognised | None:
        """Recognise what names a lead or an account: outcomes, feedback, events."""
        link = self._lead_link(table, leads, identities)
        account = link_column(table, ACCOUNT_LINKS)
        account_name = None
        if account is not None and self._is_known_account(account, leads, accounts):
            account_name = account.name
        links = {"lead_id": link, "account_id": account_name}
        known = {name: column for name, column in links.items() if column}
        one = outcomes_of_table(table, known) or (_feedback(table, link) if link else None)
        if one is None and known:
            one = _events(table, known)
        if known:
            return one
        self._explain_unlinked(table, one.table if one else None, leads)
        return None

    def _explain_unlinked(self, table: RawTable, meant: str | None, leads: Recognised) -> None:
        names = [c.name for c in table.columns if compact(c.name) in LEAD_LINKS]
        looks = f" looks like {meant} but" if meant else ""
        if names:
            why = f"none of its '{names[0]}' is among the leads of {leads.raw.label}"
        elif meant:
            why = "names neither a lead nor an account; join them in a database and use `query`"
        else:
            return
        self.left_out.append(f"{table.label}{looks} {why}")

    def _is_known_account(
        self, column: RawColumn, leads: Recognised, accounts: Recognised | None
    ) -> bool:
        if accounts and self._share_of(column, accounts.raw, accounts.columns["account_id"]) > 0:
            return True
        of_leads = leads.columns.get("account_id")
        return of_leads is not None and self._share_of(column, leads.raw, of_leads) > 0

    def _lead_link(
        self,
        table: RawTable,
        leads: Recognised,
        identities: "list[Recognised] | tuple[()]",
        without: "set[str | None] | None" = None,
    ) -> str | None:
        """Find the column that names a lead, or an alias of one."""
        key = leads.columns["lead_id"]
        candidates = [
            column
            for column in table.columns
            if column.values and column.name not in (without or set()) and column.kind != "time"
        ]
        named = [c for c in candidates if compact(c.name) in LEAD_LINKS or same_name(c.name, key)]
        named.sort(key=lambda c: (not same_name(c.name, key), rank(c.name, LEAD_LINKS)))
        for column in named:
            share = self._share_of(column, leads.raw, key)
            for one in identities:
                share += self._share_of(column, one.raw, one.columns["alias"])
            if share > _SHARED:
                return column.name
        return None

    def _share(self, table: RawTable, column: str, other: Recognised) -> float:
        return self._share_of(table.column(column), other.raw, other.columns["account_id"])

    def _share_of(self, column: RawColumn, table: RawTable, key: str) -> float:
        """Share of a column's first values that are among all values of another table's column."""
        place = (id(table), key)
        if place not in self._keys:
            self._keys[place] = frozenset(table.all_values(key))
        sample = column.distinct
        return sum(value in self._keys[place] for value in sample) / max(1, len(sample))


def _feedback(table: RawTable, link: str) -> Recognised | None:
    named = named_columns(table, "feedback", used={link})
    if not {"decided_at", "accepted"} <= set(named):
        return None
    if table.column(named["accepted"]).kind != "boolean":
        return None
    return Recognised("feedback", table, {"lead_id": link, **named})


def _events(table: RawTable, links: dict[str, str]) -> Recognised | None:
    named = named_columns(table, "events", used=set(links.values()))
    if "occurred_at" not in named or is_secondary(table):
        return None
    kind = named.get("event_type")
    is_type = kind is not None and 0 < len(table.column(kind).distinct) <= _FEW_TYPES
    if is_type:
        return Recognised("events", table, {**links, **named})
    named.pop("event_type", None)
    if not is_called(table, "events") and "detail" not in named:
        return None
    constant = _event_type_of(table)
    return Recognised(
        "events",
        table,
        {**links, **named},
        {"event_type": constant},
        (f"every row is taken as one '{constant}'",),
    )


def _event_type_of(table: RawTable) -> str:
    words = [word for word in table.stem.split("_") if word not in {"data", "sf", "hs"}]
    last = words[-1] if words else "event"
    singular = last[:-3] + "y" if last.endswith("ies") else last.removesuffix("s")
    return "_".join([*words[:-1], singular])


def _flat(tables: list[RawTable]) -> Recognition | None:
    """Recognise one table whose rows carry their label."""
    candidates = [table for table in tables if closing_column(table) is None]
    for table in sorted(candidates, key=lambda one: -len(one.columns)):
        for label in by_rank(table, LABELS):
            expression = yes_condition(label)
            if expression is None or len(label.values) < 0.5 * label.rows or len(table.columns) < 4:
                continue
            key = key_column(table, "leads", LEAD_LINKS)
            used = {label.name, *([key.name] if key else [])}
            order = _order(table, used)
            named = named_columns(table, "leads", used=used)
            named.pop("created_at", None)
            remark = f"a row has converted where {expression}"
            columns = {**({"lead_id": key.name} if key else {}), **named}
            settings = {"won": expression, **({"order_by": order} if order else {})}
            return Recognition(
                (Recognised("leads", table, columns, settings, (remark,), label.name),),
                (),
            )
    return None


def _order(table: RawTable, used: set[str]) -> str | None:
    """Find a column of numbers that only rises or only falls from row to row."""
    for column in table.columns:
        if column.name in used or column.kind != "number" or not column.is_key:
            continue
        numbers = [float(value) for value in column.values]
        steps = [after - before for before, after in pairwise(numbers)]
        if steps and max(sum(s > 0 for s in steps), sum(s < 0 for s in steps)) >= 0.99 * len(steps):
            return column.name
    return None
