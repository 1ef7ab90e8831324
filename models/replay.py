"""Replay: what retraining would have done, step by step over history, as it was known then.

At each step models learn from snapshots whose labels were known by then, and foretell those up to
the next step. Features see only the past of their snapshots, so they are computed once for all
steps.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlight.features.errors import (
    ImpossiblePolicyError,
    NoSignalError,
    NotEnoughDataError,
)
from leadlight.features.feature import Feature

from .bootstrap import Floats, lead_clusters
from .challenge import MqlChange, compare_models
from .evaluation import Evaluation, evaluate
from .exploration import stands_for
from .gate import Gate, judge
from .incumbent import best_by_points, incumbent_probability
from .maturity import Treatment
from .policies import Floors
from .replay_figures import (
    ALWAYS,
    GATED,
    INCUMBENT,
    ONCE,
    Foretold,
    Replayed,
    ReplayStep,
    step_figures,
)
from .selection import unseen_start
from .threshold import ThresholdChoice
from .time_order import Rows, TimeOrder, time_order
from .training import TrainingResult, train_model
from .training_rows import Watch

ThresholdOf = Callable[[pd.DataFrame], ThresholdChoice]
"""Chooses a threshold on held-out leads; see ``choose_threshold``."""

_NEWEST = 5
"""One in so many of the rows that are known, the newest, tells the base rate without a model."""

_NO_MODEL = (NotEnoughDataError, NoSignalError, ImpossiblePolicyError)


@dataclass(frozen=True, eq=False)
class ReplayRules:
    """How models are made at each step of a replay.

    Attributes
    ----------
    horizon_days : int
    gate : Gate
    floors : Floors
    threshold_of : callable
    seed : int
    immature : {"drop", "weight"}
    unlimited_trees : bool
        Whether a model may weigh them.
    labels_lag : int
        Rows after which a label is known, beyond the next row, in a table without dates.
    """

    horizon_days: int
    gate: Gate
    floors: Floors
    threshold_of: ThresholdOf
    seed: int
    immature: Treatment = "weight"
    unlimited_trees: bool = False
    labels_lag: int = 0


@dataclass(frozen=True, eq=False)
class _Model:
    """A model as it would have been registered, with the threshold it would have had."""

    result: TrainingResult
    choice: ThresholdChoice


def replay(
    frame: pd.DataFrame,
    features: Sequence[Feature],
    edges: Sequence[int],
    rules: ReplayRules,
    *,
    names: Sequence[str],
    incumbent: Floats | None = None,
    watch: Watch | None = None,
) -> Replayed:
    """Retrain at each step of history, and hold what was promised against what came.

    Parameters
    ----------
    frame : DataFrame of shape (n, any)
        Mature snapshots, as for ``train_model``.
    features : sequence of Feature
    edges : sequence of int
        Moments, as in ``TimeOrder``: each step begins at one and ends at the next.
    rules : ReplayRules
    names : sequence of str
        Of the steps: one less than edges.
    incumbent : ndarray of float64, shape (n,), optional
        The score that the team has today; higher is better, NaN where it says nothing.
    watch : Watch, optional

    Raises
    ------
    NotEnoughDataError
        No win was known before the first step, or no snapshot lies in any step.
    """
    walk = _Walk(frame, features, rules, watch or Watch(), incumbent)
    steps = []
    for name, start, end in zip(names, edges[:-1], edges[1:], strict=True):
        rows = walk.order.between(start, end)
        if len(rows):
            steps.append(walk.step(name, start, rows))
    if not steps:
        raise NotEnoughDataError(
            "no mature snapshot lies in the replayed time.",
            hint="Give an earlier --from, or a later --to.",
        )
    return Replayed(tuple(steps), walk.overall())


class _Walk:
    """Goes through the steps, and remembers who the champion is."""

    def __init__(
        self,
        frame: pd.DataFrame,
        features: Sequence[Feature],
        rules: ReplayRules,
        watch: Watch,
        incumbent: Floats | None,
    ) -> None:
        self._frame = frame
        self._features = features
        self._rules = rules
        self._watch = watch
        self._incumbent = incumbent
        self._clusters = lead_clusters(frame)
        self._won = frame["label"].to_numpy(dtype=bool)
        self._stands_for = stands_for(frame)
        self.order: TimeOrder = time_order(frame, horizon_days=rules.horizon_days, seed=rules.seed)
        self._models: dict[str, _Model] = {}
        self._told: dict[str, list[Floats]] = {}
        self._judged: list[Rows] = []

    def step(self, name: str, start: int, rows: Rows) -> ReplayStep:
        """Retrain at a moment, and judge by the rows up to the next."""
        self._watch.say(f"replaying {name}")
        known = self.order.known_before(start - self._rules.labels_lag)
        if not self._won[known].any():
            raise NotEnoughDataError(
                f"before {name} no win was known, so there is nothing to replay from there.",
                hint="Give a later --from.",
            )
        decision = self._retrained(known, rows)
        foretold = {told: self._by_policy(told, known, rows) for told in (ONCE, GATED, ALWAYS)}
        if self._incumbent is not None:
            foretold[INCUMBENT] = self._of_incumbent(known, rows, foretold[ALWAYS])
        for told, each in foretold.items():
            self._told.setdefault(told, []).append(each.probability)
        self._judged.append(rows)
        won = self._won[rows]
        return ReplayStep(
            name=name,
            known=len(known),
            rows=len(rows),
            wins=int(won.sum()),
            promoted=decision[0],
            reason=decision[1],
            figures={
                told: step_figures(each, won, self._clusters[rows], self._stands_for[rows])
                for told, each in foretold.items()
            },
        )

    def overall(self) -> dict[str, Evaluation]:
        """Return each policy's evaluation over all steps together."""
        if not self._judged:
            return {}
        rows = np.concatenate(self._judged)
        return {
            told: evaluate(
                np.concatenate(parts),
                self._won[rows],
                self._clusters[rows],
                seed=self._rules.seed,
                stands_for=self._stands_for[rows],
            )
            for told, parts in self._told.items()
        }

    def _retrained(self, known: Rows, rows: Rows) -> tuple[bool, str]:
        try:
            newest = self._made(known, None)
        except _NO_MODEL as error:
            return False, f"Nothing was trained: {error.message}"
        if not self._models:
            self._models = {ONCE: newest, GATED: newest, ALWAYS: newest}
            return True, "The first model."
        self._models[ALWAYS] = newest
        try:
            return self._through_the_gate(known, rows, newest)
        except _NO_MODEL as error:
            return False, f"No challenger was trained: {error.message}"

    def _through_the_gate(self, known: Rows, rows: Rows, newest: _Model) -> tuple[bool, str]:
        champion = self._models[GATED]
        start = unseen_start(
            self._frame.iloc[known],
            self.order.taken(known),
            champion.result.fitted.known_until,
        )
        if start is None:
            return False, "Too early: fewer than 20 wins or losses that the champion has not seen."
        same = start == newest.result.windows.test_start
        challenger = newest if same else self._made(known, start)
        window = self._frame.iloc[known[challenger.result.windows.test]]
        held_out = challenger.result.held_out
        comparison = compare_models(
            champion.result.fitted.probability(window),
            held_out["probability"],
            held_out["label"],
            lead_clusters(held_out),
            seed=self._rules.seed,
            stands_for=stands_for(held_out),
        )
        change = _change(self._foretold(champion, rows).mql, self._foretold(challenger, rows).mql)
        verdict = judge(comparison, change, self._rules.gate)
        if verdict.passed:
            self._models[GATED] = challenger
        return verdict.passed, verdict.sentence

    def _made(self, known: Rows, test_start: int | None) -> _Model:
        result = train_model(
            self._frame.iloc[known],
            self._features,
            horizon_days=self._rules.horizon_days,
            seed=self._rules.seed,
            immature=self._rules.immature,
            unlimited_trees=self._rules.unlimited_trees,
            test_start=test_start,
            watch=self._watch,
        )
        return _Model(result, self._rules.threshold_of(result.held_out))

    def _by_policy(self, told: str, known: Rows, rows: Rows) -> Foretold:
        if told in self._models:
            return self._foretold(self._models[told], rows)
        # Until a model could be registered, nobody is passed on, and all that is known is the base
        # rate, of the newest rows.
        newest = known[np.argsort(self.order.moment[known], kind="stable")]
        base = float(self._won[newest[-max(1, len(known) // _NEWEST) :]].mean())
        return Foretold(np.full(len(rows), base), np.zeros(len(rows), dtype=bool), float("nan"))

    def _foretold(self, model: _Model, rows: Rows) -> Foretold:
        leads = self._frame.iloc[rows]
        final, reference = model.result.final, model.result.reference
        parts = final.compiled.contributions(leads)
        probability = final.calibration.probability(final.compiled.total(parts))
        passes = self._rules.floors.passed(
            reference.family_percentile(parts, final.features, "fit"),
            reference.family_percentile(parts, final.features, "engagement"),
        )
        mql = (probability >= model.choice.least(leads)) & passes
        return Foretold(probability, mql, model.choice.precision.value)

    def _of_incumbent(self, known: Rows, rows: Rows, beside: Foretold) -> Foretold:
        points = np.asarray(self._incumbent, dtype=np.float64)
        probability = incumbent_probability(points, self._won, known, rows)
        # As many leads as the newest model would pass on.
        mql = best_by_points(points[rows], int(beside.mql.sum()), seed=self._rules.seed)
        promised = float(probability[mql].mean()) if mql.any() else float("nan")
        return Foretold(probability, mql, promised)


def _change(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> MqlChange:
    return MqlChange(
        leads=len(before),
        mqls_before=int(before.sum()),
        mqls_after=int(after.sum()),
        gained=int((after & ~before).sum()),
        lost=int((before & ~after).sum()),
        moves=(),
    )
