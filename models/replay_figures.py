"""What a replay tells: per step and policy, the promise and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bootstrap import Codes, Floats, finite
from .evaluation import Evaluation
from .ranking import FIGURES, rank_leads

ONCE = "trained once"
GATED = "retrained, champion gate"
ALWAYS = "retrained always"
INCUMBENT = "incumbent"


@dataclass(frozen=True, eq=False)
class Foretold:
    """What a policy's model says of a step's leads.

    Attributes
    ----------
    probability : ndarray of float64, shape (n,)
    mql : ndarray of bool, shape (n,)
    promised : float
        Precision that its threshold promised when it was chosen.
    """

    probability: Floats
    mql: NDArray[np.bool_]
    promised: float


@dataclass(frozen=True)
class StepFigures:
    """One policy in one step; NaN where a figure cannot be known.

    Attributes
    ----------
    mqls : int
    promised_precision, realised_precision : float
        Share of MQLs that are won within the horizon: foretold, and come.
    foretold_rate : float
        Mean probability, to hold against the share won.
    log_loss : float
        In nats.
    auc, ece : float
        Area under the ROC curve; expected calibration error.
    """

    mqls: int
    promised_precision: float
    realised_precision: float
    foretold_rate: float
    log_loss: float
    auc: float
    ece: float


@dataclass(frozen=True)
class ReplayStep:
    """One step of history.

    Attributes
    ----------
    name : str
        When it begins.
    known : int
        Snapshots whose labels were known.
    rows, wins : int
        Snapshots that it foretold, and how many were won.
    promoted : bool
        Whether the gate let the challenger pass.
    reason : str
    figures : mapping of str to StepFigures
        By policy.
    """

    name: str
    known: int
    rows: int
    wins: int
    promoted: bool
    reason: str
    figures: Mapping[str, StepFigures]


@dataclass(frozen=True)
class Replayed:
    """A finished replay.

    Attributes
    ----------
    steps : tuple of ReplayStep
    overall : mapping of str to Evaluation
        Each policy over all steps together.
    """

    steps: tuple[ReplayStep, ...]
    overall: Mapping[str, Evaluation]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON file."""
        return {
            "steps": [
                {
                    **{name: it for name, it in vars(step).items() if name != "figures"},
                    "base_rate": step.wins / step.rows,
                    "policies": {
                        told: {name: finite(it) for name, it in vars(figures).items()}
                        for told, figures in step.figures.items()
                    },
                }
                for step in self.steps
            ],
            "overall": {told: each.to_dict() for told, each in self.overall.items()},
        }

    def table(self) -> list[dict[str, Any]]:
        """Return a line for each step and policy, for a spreadsheet."""
        return [
            {"step": step["name"], "rows": step["rows"], "wins": step["wins"], "policy": told}
            | figures
            | {"promoted": step["promoted"] if told == GATED else None}
            for step in self.to_dict()["steps"]
            for told, figures in step["policies"].items()
        ]


def step_figures(
    foretold: Foretold, won: NDArray[np.bool_], codes: Codes, stands_for: Floats
) -> StepFigures:
    """Hold what was foretold of a step's leads against what came.

    Parameters
    ----------
    foretold : Foretold
    won : ndarray of bool, shape (n,)
    codes : ndarray of int, shape (n,)
        Lead or account of each row.
    stands_for : ndarray of shape (n,)
        How many rows each stands for; those that stand for none judge nothing.
    """
    numbered = np.unique(codes, return_inverse=True)[1].astype(np.intp)
    tried = stands_for > 0.0
    values = dict.fromkeys(FIGURES, float("nan"))
    if tried.any():
        ranked = rank_leads(
            foretold.probability[tried], won[tried], numbered[tried], stands_for[tried]
        )
        figures = ranked.figures(np.ones((1, int(tried.sum()))))[:, 0]
        values = dict(zip(FIGURES, figures.tolist(), strict=True))
    mqls, mql_weight = int(foretold.mql.sum()), stands_for[foretold.mql]
    return StepFigures(
        mqls=mqls,
        promised_precision=foretold.promised,
        realised_precision=float(np.average(won[foretold.mql], weights=mql_weight))
        if mql_weight.any()
        else float("nan"),
        foretold_rate=float(foretold.probability.mean()),
        log_loss=values["log_loss"],
        auc=values["auc"],
        ece=values["ece"],
    )
