"""Gate: when a challenger may take the champion's place, and in which words it may not."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .challenge import Comparison, MqlChange


@dataclass(frozen=True)
class Gate:
    """What a challenger must hold to become the champion.

    Attributes
    ----------
    log_loss_rise : float
        Share of the champion's log loss by which the challenger's may be higher at the upper end
        of the 95 % interval of the difference.
    calibration_error : float
        Largest expected calibration error on the window. A larger one passes too where chance
        alone would show it, or where the champion's is larger still.
    mql_change : float
        Largest change of the number of MQLs among today's leads, as a share of it.
    """

    log_loss_rise: float
    calibration_error: float
    mql_change: float


@dataclass(frozen=True)
class Verdict:
    """What the gate says.

    Attributes
    ----------
    passed : bool
    reasons : tuple of str
        Sentences: what speaks for the promotion, or, where it was not passed, each thing that
        stands against it.
    """

    passed: bool
    reasons: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """All reasons, one after the other."""
        return " ".join(self.reasons)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        return {"passed": self.passed, "reasons": list(self.reasons)}


def judge(comparison: Comparison, change: MqlChange | None, gate: Gate) -> Verdict:
    """Decide whether the challenger may become the champion.

    Parameters
    ----------
    comparison : Comparison
    change : MqlChange or None
        None: volumes are not judged.
    gate : Gate
    """
    against = (*_log_loss(comparison, gate), *_calibration(comparison, gate))
    if change is not None:
        against += tuple(_volume(change, gate))
    if against:
        return Verdict(False, against)
    loss = comparison.differences["log_loss"]
    return Verdict(
        True,
        (
            f"On a later window that neither had seen, log loss is "
            f"{comparison.challenger.log_loss.value:.4f} against "
            f"{comparison.champion.log_loss.value:.4f} of the champion "
            f"({loss.value:+.4f} [{loss.low:+.4f}, {loss.high:+.4f}]).",
        ),
    )


def _log_loss(comparison: Comparison, gate: Gate) -> Iterator[str]:
    loss = comparison.differences["log_loss"]
    most = gate.log_loss_rise * comparison.champion.log_loss.value
    # Written so that an interval that is not known does not pass.
    if not loss.high <= most:
        yield (
            f"Log loss may be higher than the champion's by up to {loss.high:.4f} "
            f"({loss.value:+.4f} [{loss.low:+.4f}, {loss.high:+.4f}]); the gate allows {most:.4f}."
        )


def _calibration(comparison: Comparison, gate: Gate) -> Iterator[str]:
    told = comparison.challenger
    allowed = max(gate.calibration_error, told.ece_noise.high, comparison.champion.ece.value)
    if not told.ece.value <= allowed:
        yield (
            f"The calibration error is {told.ece.value:.3f}; the gate allows {allowed:.3f} (the "
            f"champion shows {comparison.champion.ece.value:.3f})."
        )


def _volume(change: MqlChange, gate: Gate) -> Iterator[str]:
    share = change.share
    if share is None and change.mqls_after:
        yield f"The champion makes no MQL of today's leads, the challenger {change.mqls_after:,}."
    elif share is not None and abs(share) > gate.mql_change:
        yield (
            f"The number of MQLs would change by {share:+.0%}, from {change.mqls_before:,} to "
            f"{change.mqls_after:,}; the gate allows {gate.mql_change:.0%} either way."
        )
