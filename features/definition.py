"""The feature definition: which features a model is made of, decided once, at training.

Training decides it from the data; scoring takes it from the decision version, so that the columns
of tonight are the columns of then, whatever the data looks like today.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from .taxonomy import PageRule

FeatureKind = Literal["numeric", "category"]
EmailRate = Literal["open", "click", "unsubscribe"]
AccountFamily = Literal["activity", "seniority", "leads", "deals"]
HistoryFamily = Literal["earlier_mqls", "times_recycled", "sales_touch"]
TableName = Literal["leads", "accounts"]
Reading = Literal[
    "value",
    "seniority",
    "job_function",
    "email_kind",
    "email_role",
    "email_matches_company",
    "country",
    "region",
    "employees",
    "revenue",
]


@dataclass(frozen=True)
class ProfileColumn:
    """A column of ``leads`` or ``accounts`` that serves as a feature.

    Attributes
    ----------
    name : str
        Feature name: unique, an SQL identifier that needs no quotes.
    table : {"leads", "accounts"}
    column : str
        Its name in the canonical table, as the user wrote it.
    kind : {"numeric", "category"}
    reading : str
        The column's own value (``value``), or what is read from it: ``seniority`` of a title,
        ``email_kind`` of an address, and so on.
    site_table : {"leads", "accounts"}
    site : str
        For ``email_matches_company``: the column of the company's website.
    has_history : bool
        Whether ``profile_history`` tells what it held at each snapshot; if not, what it holds now
        is taken for it, which may have been written after the outcome.
    """

    name: str
    table: TableName
    column: str
    kind: FeatureKind
    reading: Reading = "value"
    site_table: TableName = "accounts"
    site: str = ""
    has_history: bool = False

    @property
    def holds_numbers(self) -> bool:
        """Whether the source column is numeric."""
        return self.kind == "numeric" and not self.reading.startswith("email")


@dataclass(frozen=True)
class FeatureDefinition:
    """What the features of a model are.

    Attributes
    ----------
    lookback_days : tuple of int
        Ascending windows before ``as_of``, in days; all time is always added.
    event_kinds : tuple of str
        Kinds of event that have features of their own (``page_view_pricing``, ``email_click``);
        others count in the totals only.
    profile : tuple of ProfileColumn
    page_rules : tuple of PageRule
        How a URL in ``events.detail`` becomes a page kind.
    has_age : bool
        Whether leads carry ``created_at``, so that their age in days is a feature.
    engagement : tuple of str
        Source columns that say what a lead did rather than who it is (flat tables, where
        behaviour is pre-aggregated); their family is engagement instead of fit.
    excluded_kinds : tuple of str
        Kinds of event that count nowhere, not even in the totals.
    active_days_of, details_of, values_of : tuple of str
        Kinds of event whose active days, distinct details or summed values say more than their
        count does; the empty name stands for events of any kind.
    half_life_days : float
        An event's part in the intensity halves in this time.
    timezone : str
        IANA name of the zone whose clock tells evenings and weekends.
    email_rates : tuple of (str, float)
        ``open``, ``click``, ``unsubscribe``: how many of each an e-mail had in training. What a
        lead of few e-mails did is drawn towards it.
    account : tuple of {"activity", "seniority", "leads", "deals"}
        What is known of the buying group.
    history : tuple of {"earlier_mqls", "times_recycled", "sales_touch"}
        What is known of the lead's earlier way.
    form : tuple of str
        Columns of ``leads`` that people fill in; how many of them are filled is a feature. Empty
        where it is none. Each value alone, and its absence, is known to the model anyway: a
        missing number or category is a level of its own.
    """

    lookback_days: tuple[int, ...] = (7, 30, 90)
    event_kinds: tuple[str, ...] = ()
    profile: tuple[ProfileColumn, ...] = ()
    page_rules: tuple[PageRule, ...] = ()
    has_age: bool = True
    engagement: tuple[str, ...] = ()
    excluded_kinds: tuple[str, ...] = ()
    active_days_of: tuple[str, ...] = ()
    details_of: tuple[str, ...] = ()
    values_of: tuple[str, ...] = ()
    half_life_days: float = 14.0
    timezone: str = "UTC"
    email_rates: tuple[tuple[EmailRate, float], ...] = ()
    account: tuple[AccountFamily, ...] = ()
    history: tuple[HistoryFamily, ...] = ()
    form: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "FeatureDefinition":
        """Read what ``to_dict`` wrote."""
        return cls(
            lookback_days=tuple(data["lookback_days"]),
            event_kinds=tuple(data["event_kinds"]),
            profile=tuple(ProfileColumn(**column) for column in data["profile"]),
            page_rules=tuple(PageRule(**rule) for rule in data["page_rules"]),
            has_age=data["has_age"],
            engagement=tuple(data["engagement"]),
            excluded_kinds=tuple(data["excluded_kinds"]),
            active_days_of=tuple(data["active_days_of"]),
            details_of=tuple(data["details_of"]),
            values_of=tuple(data["values_of"]),
            half_life_days=data["half_life_days"],
            timezone=data["timezone"],
            email_rates=tuple((role, rate) for role, rate in data["email_rates"]),
            account=tuple(data["account"]),
            history=tuple(data["history"]),
            form=tuple(data.get("form", ())),
        )


@dataclass(frozen=True)
class DefinedFeatures:
    """A new definition, and what a person should know of how it came about.

    Attributes
    ----------
    definition : FeatureDefinition
    notes : tuple of str
        One sentence for each column or kind of event that was left out, with the reason.
    """

    definition: FeatureDefinition
    notes: tuple[str, ...] = ()
