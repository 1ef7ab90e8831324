"""Profiling: which columns of leads and accounts describe, and which only name, date or repeat."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from .catalog import KEYS, unique_name
from .definition import FeatureKind, ProfileColumn, Reading, TableName
from .profile import is_number, value_sql
from .profile_readings import Lookups
from .sql import identifier, parquet
from .tables import CanonicalTables
from .taxonomy import feature_name

_KEYS = {"lead_id", "account_id", "created_at", "converted", "position"}
_PERSONAL = re.compile(
    r"(^|_)(first|last|full|middle|family|given|sur|maiden|company|account|contact)_?name(_|$)"
    r"|^name$|(^|_)(phone|mobile|fax|street|address|birth(day|date)?|passport|ssn|ip)(_|$)"
)
_ID = re.compile(r"(^|_)(id|ids|uuid|guid|key|number|nr|no|code|zip|postal|postcode)(_|$)")
_SITE = re.compile(r"^(company_?|account_?)?(domain|web_?site|site|url|home_?page|web)(_url)?$")
_FORM = {"email", "job_title", "country"}
_INSTEAD: Mapping[str, Reading] = {
    "country": "country",
    "employees": "employees",
    "revenue": "revenue",
}
_BESIDE: Mapping[tuple[str, str], tuple[tuple[Reading, FeatureKind], ...]] = {
    ("leads", "job_title"): (("seniority", "category"), ("job_function", "category")),
    ("leads", "email"): (("email_kind", "category"), ("email_role", "numeric")),
    ("leads", "country"): (("region", "category"),),
    ("accounts", "country"): (("region", "category"),),
}
_MANY = 1000
_MANY_TITLES = 50
_FEW = 20
_MOSTLY = 0.8


@dataclass(frozen=True)
class ColumnStatistics:
    """What a column holds for the leads of the training snapshots.

    Attributes
    ----------
    rows, filled, distinct : int
        Leads (or accounts); those with a value; different values.
    emails, urls, dates : int
        Values that look like an e-mail address, a web address, a date.
    whole : bool
        Whether all values are whole numbers.
    span : float
        Greatest less least number; 0 for text.
    """

    rows: int
    filled: int
    distinct: int
    emails: int = 0
    urls: int = 0
    dates: int = 0
    whole: bool = False
    span: float = 0.0


@dataclass(frozen=True)
class Candidate:
    """A column that may become a feature, before its values are looked at.

    Attributes
    ----------
    column : ProfileColumn
    sql_type : str
    """

    column: ProfileColumn
    sql_type: str

    @property
    def told(self) -> str:
        """Where it is, for messages: ``leads.country``."""
        return f"{self.column.table}.{self.column.column}"

    @property
    def described(self) -> str:
        """What it is, to begin a sentence: ``leads.job_title (seniority)``."""
        itself = self.column.reading in {"value", *_INSTEAD.values()}
        return self.told if itself else f"{self.told} ({self.column.name})"

    @property
    def names(self) -> frozenset[str]:
        """Under which names ``exclude``, ``include`` and ``engagement`` may speak of it."""
        return frozenset({self.column.column, self.told, self.column.name})


def candidates(table: TableName, types: Iterable[tuple[str, str]]) -> Iterator[Candidate]:
    """Yield the columns of a table that may become features, keys left out, in order.

    Parameters
    ----------
    types : iterable of (column, SQL type)
    """
    for name, sql_type in types:
        if name in _KEYS:
            continue
        kind: FeatureKind = "numeric" if is_number(sql_type) else "category"
        reading: Reading = _INSTEAD.get(name, "value")
        if (reading in {"employees", "revenue"}) != (kind == "numeric"):
            reading = "value"
        yield Candidate(ProfileColumn(feature_name(name), table, name, kind, reading), sql_type)
        if sql_type != "VARCHAR":
            continue
        for read, read_kind in _BESIDE.get((table, name), ()):
            yield Candidate(ProfileColumn(read, table, name, read_kind, read), sql_type)


def site_candidate(types: Mapping[TableName, Mapping[str, str]]) -> Candidate | None:
    """Return whether the e-mail's domain is the company's, where a column tells its website.

    Parameters
    ----------
    types : mapping of table to mapping of column to SQL type
    """
    if types["leads"].get("email") != "VARCHAR":
        return None
    sites: tuple[TableName, ...] = ("accounts", "leads")
    for table in sites:
        for name, sql_type in types.get(table, {}).items():
            if sql_type == "VARCHAR" and _SITE.search(feature_name(name)):
                reading: Reading = "email_matches_company"
                column = ProfileColumn(reading, "leads", "email", "numeric", reading, table, name)
                return Candidate(column, sql_type)
    return None


def form_columns(types: Mapping[str, str]) -> tuple[str, ...]:
    """Return the columns of ``leads`` that a person fills in when it becomes a lead.

    Parameters
    ----------
    types : mapping of column to SQL type
    """
    return tuple(
        name
        for name, sql_type in types.items()
        if sql_type == "VARCHAR"
        and name not in _KEYS
        and (name in _FORM or _PERSONAL.search(feature_name(name)))
    )


def named_apart(columns: Sequence[ProfileColumn]) -> tuple[ProfileColumn, ...]:
    """Give each column a feature name of its own; an account's says so where a lead's is alike."""
    taken = set(KEYS)
    result = []
    for column in columns:
        name = column.name
        if name in taken and column.table == "accounts":
            name = f"account_{name}"
        name = unique_name(name, taken)
        taken.add(name)
        result.append(replace(column, name=name))
    return tuple(result)


def statistics_sql(tables: CanonicalTables, candidate: Candidate, snapshots: str) -> str:
    """Return SQL for the fields of ``ColumnStatistics``, over the snapshots' leads or accounts."""
    column = replace(candidate.column, has_history=False)
    leads = f"SELECT lead_id FROM {snapshots}"
    path = parquet(tables.path(column.table))
    where = f"t.lead_id IN ({leads})"
    if column.table == "accounts":
        owners = parquet(tables.path("leads"))
        where = f"t.account_id IN (SELECT account_id FROM {owners} WHERE lead_id IN ({leads}))"
    lookups = Lookups()
    if column.kind == "numeric" and column.reading in {"value", *_INSTEAD.values()}:
        value = f"CAST(t.{identifier(column.column)} AS DOUBLE)"
        rest = "0, 0, 0, coalesce(bool_and(v = floor(v)), FALSE), coalesce(max(v) - min(v), 0.0)"
    else:
        read = value_sql(column, {"leads": "t", "accounts": "t"}, lookups)
        value = f"CAST({read} AS VARCHAR)"
        rest = (
            r"count(*) FILTER (regexp_matches(v, '^\S+@\S+\.\S+$')),"
            r" count(*) FILTER (regexp_matches(lower(v), '^(https?://|www\.)')),"
            r" count(*) FILTER (regexp_matches(v, '^\d{4}-\d{2}-\d{2}|^\d{1,2}[/.]\d{1,2}[/.]\d')),"
            " FALSE, 0.0"
        )
    return (
        f"SELECT count(*), count(v), count(DISTINCT v), {rest}"
        f" FROM (SELECT {value} AS v FROM {path} t{lookups.joins} WHERE {where})"
    )


def why_not(candidate: Candidate, found: ColumnStatistics) -> str | None:
    """Return why a column does not serve as a feature, as the end of a sentence; None if it does.

    Parameters
    ----------
    candidate : Candidate
    found : ColumnStatistics
    """
    return _by_name(candidate) or _by_values(candidate, found)


def _by_name(candidate: Candidate) -> str | None:
    column = candidate.column
    if column.reading not in {"value", *_INSTEAD.values()}:
        return None
    if column.table == "leads" and column.column == "email":
        return "only the kind of its domain is used"
    if column.table == "leads" and column.column == "owner":
        return "sales assigns it, often because a lead is already promising"
    if candidate.sql_type.startswith(("TIMESTAMP", "DATE", "TIME")):
        return "it holds dates"
    if _PERSONAL.search(column.name):
        return "its name says that it identifies people or companies"
    return None


def _by_values(candidate: Candidate, found: ColumnStatistics) -> str | None:
    column = candidate.column
    if found.filled == 0:
        return "it is empty" if column.reading == "value" else "nothing can be read from it"
    if found.distinct == 1 and found.filled == found.rows:
        return "it has the same value everywhere"
    if column.kind == "numeric":
        return _as_number(column, found) if column.reading == "value" else None
    return _as_category(column, found)


def _as_number(column: ProfileColumn, found: ColumnStatistics) -> str | None:
    unique = found.distinct == found.filled > _FEW and found.whole
    if unique and (_ID.search(column.name) or found.span < 20 * found.filled):
        return "its numbers are all different, as those of ids are"
    return None


def _as_category(column: ProfileColumn, found: ColumnStatistics) -> str | None:
    for count, what in (
        (found.emails, "e-mail addresses"),
        (found.urls, "web addresses"),
        (found.dates, "dates"),
    ):
        if count >= _MOSTLY * found.filled:
            return f"it holds {what}"
    if found.distinct > _FEW and found.distinct > found.filled / 2:
        return "nearly every row has its own value, so it names and does not describe"
    many = _MANY_TITLES if column.column == "job_title" else _MANY
    if found.distinct > many:
        return f"it has {found.distinct:,} different values, more than {many:,}"
    return None
