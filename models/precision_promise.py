"""The promise of a precision: a threshold whose MQLs convert often enough, with stated confidence.

What is promised is about promotions: each lead once, at the first held-out snapshot at which it
qualifies. So the many snapshots of one lead, whose labels largely repeat each other, count as the
one decision that they are. Leads of one account are still alike, so a threshold's number of
promotions is divided by their design effect before it is tested. One random lead an account would
be exact, but it throws most of the evidence away and promises something else: a precision in which
a lead of a large account hardly counts.

Thresholds are tested in a fixed sequence that no label has touched: it begins where the calibrated
probabilities expect the strongest evidence and goes down as long as each test holds, so that no
correction for many tests is needed.

References
----------
Angelopoulos, Bates, Candès, Jordan & Lei (2022), Learn then Test: calibrating predictive algorithms
to achieve risk control (Hoeffding-Bentkus p-values, fixed sequence testing), as MAPIE has it.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlight.features.errors import ImpossiblePolicyError

from .bootstrap import Codes, Estimate, Floats, effective_rows
from .policies import PrecisionPolicy
from .promotions import HeldOutLeads

# Fewer promotions than this promise nothing; from there the thresholds tested lie evenly on a
# logarithmic scale of volume.
_FEWEST = 10
_TESTED = 60


@dataclass(frozen=True)
class Promise:
    """What is promised of MQLs, and what the held-out leads showed.

    Attributes
    ----------
    precision, confidence : float
        At least this share converts, with this confidence.
    realised : Estimate
        Share of the held-out promotions that converted, with its 95 % interval.
    promotions, effective : int
        Leads promoted in the held-out window (of those that were tried, where not everybody was);
        as many independent ones tell as much.
    p_value : float
        Chance of such evidence if the promise did not hold.
    """

    precision: float
    confidence: float
    realised: Estimate
    promotions: int
    effective: int
    p_value: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        return asdict(self) | {"realised": self.realised.to_dict()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Promise":
        """Read what ``to_dict`` wrote."""
        return cls(**(data | {"realised": Estimate.from_dict(data["realised"])}))


@dataclass(frozen=True)
class _Evidence:
    """Promotions at each threshold to test, from the highest threshold down.

    Attributes
    ----------
    threshold, expected, missed : array of shape (k,)
        Mean calibrated probability; share that did not convert.
    effective : array of shape (k,)
        Number of independent promotions that tell as much.
    """

    threshold: Floats
    rows: tuple[Codes, ...]
    expected: Floats
    missed: Floats
    effective: NDArray[np.intp]

    def kept(self, policy: PrecisionPolicy) -> tuple[int, float] | None:
        """Return the lowest threshold that keeps the promise, with its p-value; None without one.

        Every threshold passed on the way down keeps it as well.
        """
        from mapie.risk_control import control_fwer  # noqa: PLC0415 - a second of import
        from mapie.risk_control.methods import compute_hoeffding_bentkus_p_value  # noqa: PLC0415

        first = self.strongest(policy.precision)
        p_values = compute_hoeffding_bentkus_p_value(
            self.missed[first:], self.effective[first:], 1.0 - policy.precision, binary=True
        )[:, 0]
        held = control_fwer(p_values, 1.0 - policy.confidence, "fixed_sequence")
        return (first + int(held[-1]), float(p_values[held[-1]])) if len(held) else None

    def strongest(self, precision: float) -> int:
        """Return where the probabilities alone expect the strongest evidence.

        By Hoeffding's exponent; no label is looked at, or the sequence would not be fixed.
        """
        share = np.clip(self.expected, 1e-9, 1.0 - 1e-9)
        distance = share * np.log(share / precision) + (1.0 - share) * np.log(
            (1.0 - share) / (1.0 - precision)
        )
        promotions = np.array([len(rows) for rows in self.rows])
        return int(np.argmax(np.where(share > precision, promotions * distance, share - precision)))


def promised_threshold(policy: PrecisionPolicy, leads: HeldOutLeads) -> tuple[float, Promise]:
    """Return the lowest threshold at which the precision can be promised.

    Parameters
    ----------
    policy : PrecisionPolicy
    leads : HeldOutLeads

    Raises
    ------
    ImpossiblePolicyError
        No threshold can; the message tells the best that can be had.
    """
    evidence = _evidence(leads)
    kept = evidence.kept(policy) if evidence else None
    if evidence is None or kept is None:
        raise _impossible(policy, leads, evidence)
    at, p_value = kept
    rows = evidence.rows[at]
    promise = Promise(
        precision=policy.precision,
        confidence=policy.confidence,
        realised=leads.converted(rows),
        promotions=len(rows),
        effective=int(evidence.effective[at]),
        p_value=p_value,
    )
    return float(evidence.threshold[at]), promise


def best_promise(policy: PrecisionPolicy, leads: HeldOutLeads) -> tuple[float, float] | None:
    """Return the highest precision, in whole percent, that can be promised, and its threshold.

    Parameters
    ----------
    policy : PrecisionPolicy
        Its confidence holds; precisions below its own are tried.
    leads : HeldOutLeads
    """
    evidence = _evidence(leads)
    if evidence is None:
        return None
    for percent in range(int(np.ceil(100 * policy.precision)) - 1, 0, -1):
        kept = evidence.kept(PrecisionPolicy(percent / 100, policy.confidence))
        if kept:
            return percent / 100, float(evidence.threshold[kept[0]])
    return None


def _evidence(leads: HeldOutLeads) -> _Evidence | None:
    """Gather what each threshold to test has to say; None with too few leads."""
    best = np.full(int(leads.lead.max()) + 1, -np.inf)
    np.maximum.at(best, leads.lead, leads.score)
    falling = np.sort(best[np.isfinite(best)])[::-1]
    if len(falling) < _FEWEST:
        return None
    volumes = np.geomspace(_FEWEST, len(falling), _TESTED).round().astype(np.intp)
    thresholds = np.unique(falling[volumes - 1])[::-1]
    promoted = [leads.promoted_at(threshold) for threshold in thresholds]
    # Of a lead that nobody tried it is not known whether it would have converted.
    tried = [at[leads.stands_for[at] > 0.0] for at in promoted]
    thresholds = thresholds[[len(at) > 0 for at in tried]]
    rows = tuple(at for at in tried if len(at))
    if not rows:
        return None
    return _Evidence(
        threshold=thresholds,
        rows=rows,
        expected=np.array([leads.probability[at].mean() for at in rows]),
        missed=np.array([1.0 - leads.converted(at).value for at in rows]),
        effective=np.array(
            [
                max(1, int(effective_rows(leads.won[at], leads.codes[at], leads.stands_for[at])))
                for at in rows
            ],
            dtype=np.intp,
        ),
    )


def _impossible(
    policy: PrecisionPolicy, leads: HeldOutLeads, evidence: _Evidence | None
) -> ImpossiblePolicyError:
    base = leads.converted(np.ones(len(leads.won), dtype=bool)).value
    asked = f"{policy.precision:.0%} of MQLs converting, with {policy.confidence:.0%} confidence,"
    said = f"{asked} cannot be promised: {base:.1%} of all leads convert"
    if evidence is None:
        return ImpossiblePolicyError(
            f"{said}, and fewer than {_FEWEST} held-out leads pass the floors.", best={}
        )
    top = evidence.rows[evidence.strongest(policy.precision)]
    share = leads.converted(top)
    said += (
        f", and of the best {len(top):,} held-out leads {share.value:.1%} "
        f"(95 % interval {share.low:.1%} to {share.high:.1%})."
    )
    best = best_promise(policy, leads)
    if best is None:
        return ImpossiblePolicyError(f"{said} No precision can be promised.", best={})
    precision, threshold = best
    realised = leads.converted(leads.promoted_at(threshold)).value
    weekly = leads.volumes(np.array([threshold])).weekly
    volume = "" if weekly is None else f", about {weekly[0]:.1f} new MQLs a week"
    return ImpossiblePolicyError(
        f"{said} The most that can be promised is {precision:.0%}, from a probability of "
        f"{threshold:.1%}{volume}; there {realised:.1%} converted.",
        best={
            "precision": precision,
            "confidence": policy.confidence,
            "threshold": threshold,
            "mqls_per_week": None if weekly is None else float(weekly[0]),
            "realised": realised,
            "base_rate": base,
        },
    )
