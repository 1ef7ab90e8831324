"""The rules at the door: what makes a row bad, and how many bad rows are too many."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .errors import ConfigError, did_you_mean


@dataclass(frozen=True)
class Rule:
    """What a rule catches and the share of a table's rows at which a run stops.

    Attributes
    ----------
    meaning : str
    limit : float or None
        Largest share (0..1) of the table's rows that may break it; None only warns.
    """

    meaning: str
    limit: float | None


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "malformed_row": Rule("a line of a text file with too many or too few columns", 0.01),
        "missing_required": Rule("a value that each row must have is missing", 0.05),
        "unparsable_time": Rule("a time that cannot be read", 0.05),
        "unparsable_number": Rule("a number that cannot be read", 0.05),
        "unparsable_boolean": Rule("neither yes nor no", 0.05),
        "mixed_time_zones": Rule(
            "a time without a zone in a column whose other times carry one", 0.05
        ),
        "future_date": Rule("a time later than now", 0.01),
        "duplicated_row": Rule(
            "the same row again, the same in every column; kept once (events: only where they "
            "carry a time of day)",
            0.20,
        ),
        "duplicate_key": Rule("the same key again with other content; the first is kept", 0.01),
        "outcome_before_creation": Rule("a deal that closed before its lead was created", 0.05),
        "unknown_lead": Rule("a lead id that is neither a lead nor an alias", None),
    }
)

_EVERY_TABLE = ("malformed_row", "missing_required", "future_date", "duplicated_row")
_REFERRING = ("events", "outcomes", "feedback")


def rules_of(table: str, types: frozenset[str], *, keyed: bool) -> tuple[str, ...]:
    """Rules that a table is held to.

    Parameters
    ----------
    table : str
    types : frozenset of str
        Types of the canonical columns that its sources map.
    keyed : bool
        Whether the table has a key.
    """
    applies = {
        **dict.fromkeys(_EVERY_TABLE, True),
        "future_date": "time" in types,
        "unparsable_time": "time" in types,
        "mixed_time_zones": "time" in types,
        "unparsable_number": "number" in types,
        "unparsable_boolean": "boolean" in types,
        "duplicate_key": keyed,
        "outcome_before_creation": table == "outcomes",
        "unknown_lead": table in _REFERRING,
    }
    return tuple(rule for rule in RULES if applies[rule])


def limits_with(overrides: Mapping[str, float | None] | None) -> dict[str, float | None]:
    """Limits of all rules, with the configured ones in place of the defaults.

    Raises
    ------
    ConfigError
        A name is not a rule, or a limit not a share between 0 and 1.
    """
    limits = {name: rule.limit for name, rule in RULES.items()}
    for name, limit in (overrides or {}).items():
        if name not in RULES:
            raise ConfigError(
                f"checks: there is no rule '{name}'.{did_you_mean(name, RULES)}",
                hint=f"The rules are: {', '.join(RULES)}.",
            )
        if limit is not None and not 0 <= limit <= 1:
            raise ConfigError(f"checks.{name}: {limit} is not a share between 0 and 1.")
        limits[name] = limit
    return limits


@dataclass(frozen=True)
class RuleCount:
    """How many rows of a table break a rule.

    Attributes
    ----------
    table, rule : str
    rows : int
        Rows that break it.
    of : int
        Rows read for the table.
    limit : float or None
        Largest share allowed; None only warns.
    sources : tuple of str
        Files or tables they come from.
    example : str
        The first of them, in words; empty where there is none.
    """

    table: str
    rule: str
    rows: int
    of: int
    limit: float | None
    sources: tuple[str, ...]
    example: str

    @property
    def share(self) -> float:
        """Share of the table's rows that break the rule."""
        return self.rows / self.of if self.of else 0.0

    @property
    def passed(self) -> bool:
        """Whether the share is within the limit."""
        return self.limit is None or self.share <= self.limit
