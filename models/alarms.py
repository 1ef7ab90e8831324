"""Alarms: what a run of the monitor found, corrected for all that it looked at, and named.

Each look is a finding: a chance (how often it would come about if nothing were wrong) and whether
its size matters. An alarm needs both. The chances of one run are corrected by Holm, in four groups
(streams, new leads, features with scores, what became of leads) that share the allowance equally:
hundreds of looks at features do not drown the one at conversion. It holds whatever hangs together
with whatever: if nothing is wrong, the chance of any alarm in a run is at most
``Limits.false_alarms``. Findings that follow from another one (fewer visits in the features once
the tracker is dead) are told as its consequences, not as alarms of their own.

References
----------
Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of
Statistics 6.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Level = Literal["attention", "act"]
Kind = Literal[
    "late source",
    "silent tracker",
    "doubled import",
    "shifted clock",
    "constant column",
    "flood",
    "base rate",
    "volume",
    "feature drift",
    "score drift",
    "estimated performance",
    "MQL volume",
    "sales acceptance",
]


@dataclass(frozen=True)
class Limits:
    """How large something must be to matter, and how often a quiet run may alarm.

    Attributes
    ----------
    false_alarms : float
        Largest chance of any alarm in a run when nothing is wrong.
    psi_attention, psi_act : float
        Population stability index of a feature or of the score.
    volume_ratio : float
        Times as many, or as few, as the stream's own rhythm makes likely.
    flood_ratio : float
        Times as many new leads of one country, source, ... as usual.
    repeated_share : float
        Share of a day's events that are there twice.
    conversion_margin : float
        Share by which realised conversion may stray from the promise.
    auc_drop : float
        By which the estimated AUC may lie below the one at training.
    mql_ratio : float
        Times as many, or as few, new MQLs a week as agreed.
    acceptance_drop : float
        By which the share of MQLs that sales accepts may fall.
    """

    false_alarms: float = 0.03
    psi_attention: float = 0.1
    psi_act: float = 0.25
    volume_ratio: float = 2.0
    flood_ratio: float = 3.0
    repeated_share: float = 0.25
    conversion_margin: float = 0.25
    auc_drop: float = 0.05
    mql_ratio: float = 1.5
    acceptance_drop: float = 0.1


@dataclass(frozen=True)
class Finding:
    """One look at one thing.

    Attributes
    ----------
    kind : Kind
    what : str
        The stream, column or feature: ``page_view``, ``country = Brazil``.
    p_value : float
        Chance of it if nothing were wrong.
    matters : bool
        Whether its size passes the limit.
    level : {"attention", "act"}
        Of the alarm that it would be.
    evidence : str
        A sentence with figures.
    subjects : tuple of str
        Event types, columns or features that it is about, to find what follows from it.
    """

    kind: Kind
    what: str
    p_value: float
    matters: bool
    level: Level
    evidence: str
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Alarm:
    """Something is wrong, and has a name.

    Attributes
    ----------
    kind : Kind
    what : str
    level : {"attention", "act"}
    evidence : str
    meaning, to_do : str
    consequences : tuple of str
        Evidence of findings that follow from it.
    """

    kind: Kind
    what: str
    level: Level
    evidence: str
    meaning: str
    to_do: str
    consequences: tuple[str, ...] = field(default=())

    @property
    def title(self) -> str:
        """Kind and thing in a few words."""
        return f"{self.kind}: {self.what}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        return {**asdict(self), "consequences": list(self.consequences)}


# By kind, the first the nearest to the cause: what it means, and what to do.
_WORDS: dict[Kind, tuple[str, str]] = {
    "late source": (
        "The source has not delivered its newest days; leads look quieter than they are.",
        "Find out why the export is late, and score again when it is here. Until then hold "
        "demotions back.",
    ),
    "silent tracker": (
        "Nothing of this kind arrives any more, which its own rhythm makes all but impossible: "
        "tracking or its connection has broken. Scores fall day by day.",
        "Check tag, form or connector. If it was switched off on purpose, exclude the kind and "
        "train again.",
    ),
    "doubled import": (
        "The same events came in more than once: counts, and with them engagement, are too high.",
        "Stop the second import and remove its rows, then score again.",
    ),
    "shifted clock": (
        "The hours of the day have moved as a whole: a time zone or summer time was changed in the "
        "export, and events count in the wrong hour or on the wrong day.",
        "Compare one event with its origin, then set `timezone` of the source, or mend the export.",
    ),
    "constant column": (
        "The column tells leads apart no more: a form field, a join or an export gives one value "
        "to all.",
        "Mend the column at its source. Do not train before: the model would unlearn it.",
    ),
    "flood": (
        "Far more new leads than usual have this value: a bought list, a bot, or a campaign that "
        "training never saw.",
        "Look at ten of these leads. If they are no leads, remove them; if they are, tell sales, "
        "and watch their conversion.",
    ),
    "base rate": (
        "Leads convert at another rate than their scores promised: the market, the price, or how "
        "sales works has changed. Ranks may still be right; probabilities are not.",
        "Retrain on the newest closed deals (leadlight retrain), and look at the threshold again.",
    ),
    "volume": (
        "The stream carries far more or far less than its own weekly rhythm.",
        "Ask whoever runs it: a campaign, a holiday, or a part of the data that is missing.",
    ),
    "feature drift": (
        "Today's leads differ from the reference in this feature; the model answers questions that "
        "it has seen less of.",
        "If the change is real and stays, retrain; if not, mend the data behind it.",
    ),
    "score drift": (
        "Scores as a whole have moved, so another share of leads passes the threshold.",
        "See which features moved them. If the change is real, retrain and agree on the threshold.",
    ),
    "estimated performance": (
        "By their own probabilities today's scores tell leads apart worse than at training.",
        "See which features went quiet; retrain if the change is real.",
    ),
    "MQL volume": (
        "Sales gets another number of MQLs than was agreed.",
        "Ask `leadlight threshold` what the agreed policy would choose today.",
    ),
    "sales acceptance": (
        "Sales accepts fewer of the MQLs than before.",
        "Read the reasons for rejection; agree anew on what an MQL is, or retrain.",
    ),
}
_DATA: tuple[Kind, ...] = (
    "late source",
    "silent tracker",
    "doubled import",
    "shifted clock",
    "constant column",
    "flood",
)
_GROUPS: tuple[frozenset[Kind], ...] = (
    frozenset({"late source", "silent tracker", "doubled import", "shifted clock", "volume"}),
    frozenset({"constant column", "flood"}),
    frozenset({"feature drift", "score drift", "estimated performance"}),
    frozenset({"base rate", "MQL volume", "sales acceptance"}),
)
_ON_SUBJECT: tuple[Kind, ...] = ("volume", "feature drift", "flood", "constant column")
_ON_SCORES: tuple[Kind, ...] = ("score drift", "estimated performance", "MQL volume")


def raise_alarms(findings: Sequence[Finding], limits: Limits) -> tuple[Alarm, ...]:
    """Turn all findings of a run into alarms, causes first.

    Parameters
    ----------
    findings : sequence of Finding
        All that was looked at, the quiet ones too: they are what is corrected for.
    limits : Limits
    """
    order = list(_WORDS)
    real = []
    for group in _GROUPS:
        mine = [finding for finding in findings if finding.kind in group]
        chances = _corrected([finding.p_value for finding in mine])
        real += [
            finding
            for finding, chance in zip(mine, chances, strict=True)
            if finding.matters and chance <= limits.false_alarms / len(_GROUPS)
        ]
    real.sort(key=lambda one: (order.index(one.kind), one.p_value, one.what))
    causes: list[tuple[Finding, list[Finding]]] = []
    for finding in real:
        cause = next((each for each in causes if _follows(finding, each[0])), None)
        if cause is None:
            causes.append((finding, []))
        else:
            cause[1].append(finding)
    return tuple(_alarm(finding, followers) for finding, followers in causes)


def _corrected(chances: Sequence[float]) -> NDArray[np.float64]:
    """Return Holm's chances: of the smallest times all, of the next times all but one, ..."""
    clipped = np.clip(np.asarray(chances, dtype=np.float64), 0.0, 1.0)
    order = np.argsort(clipped)
    corrected = np.empty_like(clipped)
    times = len(clipped) - np.arange(len(clipped))
    corrected[order] = np.minimum(np.maximum.accumulate(clipped[order] * times), 1.0)
    return corrected


def _follows(finding: Finding, cause: Finding) -> bool:
    """Whether a finding is explained by one nearer to the cause."""
    if cause.kind in _DATA and finding.kind in _ON_SCORES:
        return True
    if finding.kind == "score drift":
        return cause.kind == "feature drift"
    if finding.kind in {"estimated performance", "MQL volume"}:
        return cause.kind in {"feature drift", "score drift"}
    if cause.kind not in {*_DATA, "volume", "feature drift"}:
        return False
    same = finding.kind == cause.kind or finding.kind in {*_ON_SUBJECT, *_DATA}
    return same and any(
        _touches(mine, theirs) for mine in finding.subjects for theirs in cause.subjects
    )


def _touches(mine: str, theirs: str) -> bool:
    # page_view_pricing is a kind of page_view.
    return mine == theirs or mine.startswith(f"{theirs}_")


def _alarm(finding: Finding, followers: Sequence[Finding]) -> Alarm:
    meaning, to_do = _WORDS[finding.kind]
    level: Level = (
        "act" if any(one.level == "act" for one in [finding, *followers]) else "attention"
    )
    return Alarm(
        finding.kind,
        finding.what,
        level,
        finding.evidence,
        meaning,
        to_do,
        tuple(dict.fromkeys(one.evidence for one in followers if one.evidence != finding.evidence)),
    )
