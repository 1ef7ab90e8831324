"""What bench-quality found: each contestant's scores, leadlight's verdicts, and the marks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from quality_case import Case
from quality_runs import LEADLIGHT, NAMES, Answer
from quality_scores import Score, Verdict, log_loss_difference, score, verdict
from results import Result

from leadlight.models.bootstrap import Estimate, lead_clusters

TENTH_OF_AUTOGLUON = 24.0  # seconds: it is given four minutes
CALIBRATED = 0.01
CALIBRATED_IN_STEPS = 0.03
FROM_TRUTH = 1.01


@dataclass(frozen=True)
class CaseResult:
    """All contestants on one case.

    Attributes
    ----------
    case : Case
    answers : dict of str to Answer
        Contestant -> its answer; leadlight's first.
    scores : dict of str to Score
    truth : Score or None
        Of the true probabilities, which nobody can be better than in the long run.
    best : str
        The peer with the lowest log loss on the judged rows, chosen with hindsight.
    difference : Estimate
        Of leadlight's log loss and the best peer's.
    """

    case: Case
    answers: Mapping[str, Answer]
    scores: Mapping[str, Score]
    truth: Score | None
    best: str
    difference: Estimate

    @property
    def verdict(self) -> Verdict:
        return verdict(self.difference)

    @property
    def ours(self) -> Score:
        return self.scores[LEADLIGHT]


def judge(case: Case, answers: Mapping[str, Answer], *, seed: int) -> CaseResult:
    """Score all answers, and hold leadlight's against the best peer's."""
    judged = case.rows().iloc[case.judged]
    won = judged["label"].to_numpy(dtype=bool)
    scores = {name: score(each.probability, won, seed=seed) for name, each in answers.items()}
    best = min((name for name in scores if name != LEADLIGHT), key=lambda n: scores[n].log_loss)
    truth = case.truth()
    return CaseResult(
        case=case,
        answers=answers,
        scores=scores,
        truth=None if truth is None else score(truth, won, seed=seed),
        best=best,
        difference=log_loss_difference(
            answers[LEADLIGHT].probability,
            answers[best].probability,
            won,
            lead_clusters(judged),
            seed=seed,
        ),
    )


def mean_log_loss(found: Sequence[CaseResult]) -> dict[str, float]:
    """Return the mean over the cases, of those contestants that took part in all of them."""
    everywhere = set.intersection(*(set(each.scores) for each in found))
    return {
        name: float(np.mean([each.scores[name].log_loss for each in found]))
        for name in NAMES
        if name in everywhere
    }


def marks(found: Sequence[CaseResult]) -> list[Result]:
    """Return leadlight's figures beside the best peer's, with what has to be reached."""
    results: list[Result] = []
    for each in found:
        results += _case_marks(each)
    means = mean_log_loss(found)
    peer = min((name for name in means if name != LEADLIGHT), key=means.__getitem__, default=None)
    if LEADLIGHT in means and peer:
        results.append(
            Result(
                "mean log loss over the cases",
                means[LEADLIGHT],
                "nats",
                peer=f"{NAMES[peer]}: {means[peer]:.4f}",
                ratio=means[LEADLIGHT] / means[peer],
                mark="below each peer's",
                met=means[LEADLIGHT] < means[peer],
            )
        )
    return results


def _case_marks(each: CaseResult) -> list[Result]:
    name, ours, theirs = each.case.name, each.ours, each.scores[each.best]
    peer = f"{NAMES[each.best]}: {theirs.log_loss:.4f}, {each.verdict}"
    limit = CALIBRATED if len(each.case.steps) == 1 else CALIBRATED_IN_STEPS
    seconds = each.answers[LEADLIGHT].seconds
    results = [
        Result(
            f"{name}: log loss",
            ours.log_loss,
            "nats",
            peer=peer,
            ratio=ours.log_loss / theirs.log_loss,
            mark="no loss",
            met=each.verdict != "loss",
        ),
        Result(
            f"{name}: calibration error beyond chance",
            ours.ece_excess,
            "probability",
            mark=f"at most {limit}",
            met=ours.ece_excess <= limit,
        ),
        Result(
            f"{name}: all fits",
            seconds,
            "s",
            mark=f"at most {TENTH_OF_AUTOGLUON:.0f}",
            met=seconds <= TENTH_OF_AUTOGLUON,
        ),
    ]
    if each.truth:
        ratio = ours.log_loss / each.truth.log_loss
        results.append(
            Result(
                f"{name}: log loss over that of the truth",
                ours.log_loss,
                "nats",
                peer=f"true probabilities: {each.truth.log_loss:.4f}",
                ratio=ratio,
                mark=f"ratio at most {FROM_TRUTH}",
                met=ratio <= FROM_TRUTH,
            )
        )
    return results
