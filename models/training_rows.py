"""Training rows: encoded snapshots in time order, with the folds that judge every choice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadlight.features.feature import Feature

from .bootstrap import Codes, lead_clusters
from .encoding import FloatArray, LeadEncoder, feature_kinds
from .exploration import stands_for
from .laid_fold import LaidFold, known_at, laid_fold, plainly_known
from .lesson import Lesson, enough_rows, stood_for, taken_rows
from .level import Labelled
from .maturity import KnownRows, Treatment
from .out_of_fold import Done, FoldStore, FoldTask, Trial, out_of_fold
from .recency import decayed
from .redundancy import distinct_features
from .selection import Fold, Folds, rolling_folds
from .time_order import Rows, TimeOrder, time_order


@dataclass(frozen=True)
class Watch:
    """Who is told of the work, and what keeps finished folds.

    Attributes
    ----------
    tell : callable, optional
        Told what is being done, in a few words.
    done : callable, optional
        Told how many fits of a step are done, and of how many.
    store : FoldStore, optional
    """

    tell: Callable[[str], None] | None = None
    done: Done | None = None
    store: FoldStore | None = None

    def say(self, what: str) -> None:
        """Tell what is being done."""
        if self.tell:
            self.tell(what)


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """Encoded snapshots, and what every step of a fit shares.

    Attributes
    ----------
    frame : DataFrame of n rows
    features : tuple of Feature, k of them
    encoder : LeadEncoder
        Fitted on these rows, without their labels.
    rows : Lesson of shape (n, k)
        With the labels as they are known by now.
    order : TimeOrder
    known : KnownRows
        What the final fit learns from.
    folds : tuple of LaidFold
        Each with what was known when its judging window began.
    laid : Folds
        The same, as they are told.
    seed : int
    watch : Watch
    """

    frame: pd.DataFrame = field(repr=False)
    features: tuple[Feature, ...]
    encoder: LeadEncoder
    rows: Lesson
    order: TimeOrder
    known: KnownRows
    folds: tuple[LaidFold, ...]
    laid: Folds
    seed: int
    watch: Watch

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        features: Sequence[Feature],
        *,
        horizon_days: int,
        known_until: int | None,
        immature: Treatment,
        seed: int,
        watch: Watch,
    ) -> "TrainingRows":
        """Encode the rows, leave out features that repeat others, and lay the folds.

        Parameters
        ----------
        frame, features, horizon_days, known_until, immature, seed, watch
            As for ``fit_model``.
        """
        distinct = distinct_features(frame, features)
        if len(distinct) < len(features):
            repeated = len(features) - len(distinct)
            watch.say(f"{repeated} of {len(features)} features repeat others: set aside")
        encoder = _encoder(distinct).fit(frame)
        order = time_order(frame, horizon_days=horizon_days, seed=seed)
        mature = np.flatnonzero(stands_for(frame) > 0.0)
        known = plainly_known(frame, mature)
        if known_until is not None and order.kind == "as_of":
            mature = np.intersect1d(mature, order.known_before(known_until))
            known = known_at(
                frame, order, known_until, horizon_days=horizon_days, immature=immature
            )
        laid = _moved(rolling_folds(frame.iloc[mature], order.taken(mature), seed=seed), mature)
        return cls(
            frame=frame,
            features=distinct,
            encoder=encoder,
            rows=_encoded(frame, encoder),
            order=order,
            known=known,
            folds=tuple(
                laid_fold(
                    fold,
                    frame,
                    order,
                    horizon_days=horizon_days,
                    immature=immature if laid.rolling else "drop",
                    seed=seed,
                )
                for fold in laid.folds
            ),
            laid=laid,
            seed=seed,
            watch=watch,
        )

    @classmethod
    def to_learn(
        cls,
        frame: pd.DataFrame,
        features: Sequence[Feature],
        *,
        horizon_days: int,
        seed: int,
        watch: Watch,
    ) -> "TrainingRows":
        """Encode mature rows to learn from as was chosen before: no folds, no feature set aside.

        Parameters
        ----------
        frame, features, horizon_days, seed, watch
            As for ``fit_model``.
        """
        encoder = _encoder(features).fit(frame)
        return cls(
            frame=frame,
            features=tuple(features),
            encoder=encoder,
            rows=_encoded(frame, encoder),
            order=time_order(frame, horizon_days=horizon_days, seed=seed),
            known=plainly_known(frame, np.arange(len(frame))),
            folds=(),
            laid=Folds((), (), rolling=False),
            seed=seed,
            watch=watch,
        )

    def without(self, columns: Sequence[int]) -> "TrainingRows":
        """Return the rows without some of the features."""
        kept = [at for at in range(len(self.features)) if at not in set(columns)]
        features = tuple(self.features[at] for at in kept)
        return replace(
            self,
            features=features,
            encoder=_encoder(features).fit(self.frame),
            rows=replace(self.rows, matrix=np.asfortranarray(self.rows.matrix[:, kept])),
        )

    @property
    def judged_won(self) -> npt.NDArray[np.bool_]:
        """Labels of the judged rows, fold by fold."""
        return self.rows.won[self.laid.judged]

    @property
    def judged_cluster(self) -> Codes:
        """Clusters of the judged rows."""
        return self.rows.cluster[self.laid.judged]

    @property
    def judged_fold(self) -> Rows:
        """Which fold judged each of the judged rows."""
        sizes = [len(fold.judge) for fold in self.folds]
        return np.repeat(np.arange(len(sizes)), sizes)

    def weight(self, known: LaidFold | KnownRows, half_life: float | None) -> FloatArray:
        """Return how much each row that teaches counts, given how fast they lose weight; mean 1."""
        rows = known.fit if isinstance(known, LaidFold) else known.rows
        stands = stands_for(self.frame)[rows]
        if isinstance(known, LaidFold):
            stands = stands * known.stands
        weight = known.weight * stands * decayed(self.order.taken(rows), half_life)
        return np.asarray(weight / weight.mean(), dtype=np.float64)

    def lesson(self, half_life: float | None) -> Lesson:
        """Return what is known by now, given how fast rows lose weight; see ``enough_rows``."""
        known = self.known
        kept = enough_rows(known.won, seed=self.seed)
        rows = known.rows[kept]
        weight = self.weight(known, half_life)[kept] * stood_for(known.won, kept)
        matrix = taken_rows(self.rows.matrix, rows)
        return Lesson(matrix, known.won[kept], weight, self.rows.cluster[rows])

    def histories(
        self,
        margin: FloatArray,
        taught: Sequence[tuple[Rows, FloatArray]],
        half_life: float | None,
    ) -> list[tuple[Labelled, Labelled]]:
        """Return, for each fold, the rows that taught its model and those that judged it.

        Parameters
        ----------
        margin : ndarray of float64, shape (judged rows,)
        taught : sequence of (ndarray of int, ndarray of float64)
            For each fold, places among its fit rows, and the margins that its model gives them.
        half_life : float or None
            With which the models were fitted.
        """
        found = []
        for at, (fold, (places, known)) in enumerate(zip(self.folds, taught, strict=True)):
            fit, mine = fold.fit[places], self.judged_fold == at
            faded = decayed(self.order.taken(fit), half_life) * fold.stands[places]
            found.append(
                (
                    self.labelled(fit, known, fold.won[places], faded),
                    self.labelled(fold.judge, margin[mine], self.judged_won[mine], None),
                )
            )
        return found

    def labelled(
        self,
        places: Rows,
        margin: FloatArray,
        won: npt.NDArray[np.bool_],
        weight: FloatArray | None,
    ) -> Labelled:
        """Return rows with their margins and what is known of their labels."""
        moment, cluster = self.order.moment[places], self.rows.cluster[places]
        return Labelled(margin, won, moment, weight, cluster)

    def tried(self, tasks: Sequence[FoldTask]) -> list[Trial]:
        """Fit the tasks' candidates on their folds; see ``out_of_fold``."""
        return out_of_fold(
            tasks,
            self.features,
            self.rows,
            seed=self.seed,
            store=self.watch.store,
            done=self.watch.done,
        )


def _moved(laid: Folds, rows: Rows) -> Folds:
    """Return folds of some rows as folds of the frame that they were taken from."""
    folds = tuple(Fold(rows[fold.fit], rows[fold.judge]) for fold in laid.folds)
    return replace(laid, folds=folds)


def _encoder(features: Sequence[Feature]) -> LeadEncoder:
    return LeadEncoder(tuple(feature.name for feature in features), feature_kinds(features))


def _encoded(frame: pd.DataFrame, encoder: LeadEncoder) -> Lesson:
    weight = frame["weight"] if "weight" in frame else np.ones(len(frame))
    return Lesson(
        encoder.transform(frame),
        frame["label"].to_numpy(dtype=bool),
        np.asarray(weight, dtype=np.float64),
        lead_clusters(frame),
    )
