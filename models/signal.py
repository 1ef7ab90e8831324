"""Signal: whether a trained model knows anything that the base rate does not."""

import math

import numpy as np
import pandas as pd

from leadlight.features.errors import NoSignalError

from .evaluation import Evaluation
from .exploration import stands_for
from .fitted_model import FittedModel


def require_signal(
    fitted: FittedModel, evaluation: Evaluation, held_out: pd.DataFrame, known_rate: float
) -> None:
    """Refuse a model that ranks the last window no better than chance, or foretells it no better.

    Parameters
    ----------
    fitted : FittedModel
    evaluation : Evaluation
        Of the last window.
    held_out : DataFrame
        The last window's rows that stand for some: label, probability.
    known_rate : float
        Share of wins that was known before it: what one would say of each lead without a model.

    Raises
    ------
    NoSignalError
        The interval of the AUC holds 0.5, or the calibrated probabilities have no lower log loss
        than the known share of wins.
    """
    auc = evaluation.auc
    if not auc.low > 0.5:
        raise _refusal(
            f"on the last window the AUC is {auc.value:.3f} [{auc.low:.3f}, {auc.high:.3f}]; "
            "0.5 is chance.",
            fitted,
            evaluation,
        )
    won = held_out["label"].to_numpy(dtype=bool)
    losses = -np.where(won, math.log(known_rate), math.log1p(-known_rate))
    chance = float(np.average(losses, weights=stands_for(held_out)))
    if not evaluation.log_loss.value < chance:
        raise _refusal(
            f"on the last window the log loss is {evaluation.log_loss.value:.4f}, and saying "
            f"{known_rate:.1%} of each lead, the share of wins known before, gives {chance:.4f}.",
            fitted,
            evaluation,
        )


def _refusal(found: str, fitted: FittedModel, evaluation: Evaluation) -> NoSignalError:
    return NoSignalError(found, tried=tried(fitted), evaluation=evaluation.to_dict())


def tried(fitted: FittedModel) -> tuple[str, ...]:
    """Say what was tried, in sentences."""
    results = [
        f"{each.name.replace('_', ' ')}: log loss {each.log_loss.value:.4f} "
        f"[{each.log_loss.low:.4f}, {each.log_loss.high:.4f}] on rows not learned from."
        for each in fitted.candidates
    ]
    half_lives = [
        f"Old rows weighing half after {half_life:g} {fitted.recency.unit}: log loss {loss:.4f}."
        for half_life, loss in fitted.recency.log_loss.items()
        if half_life is not None
    ]
    return (
        f"{len(fitted.features)} features that do not repeat each other.",
        *fitted.folds.description,
        *results,
        *half_lives,
        fitted.level.sentence(),
    )
