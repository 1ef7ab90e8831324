"""leadlight's side: from a frame of features to parts, margin, probability and top reasons.

``python explain_leadlight.py CASE ROWS REPEATS SEED`` prints a line of JSON, as a peer does.
"""

import json
import sys
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from explain_case import ExplainCase
from explain_contestant import rate
from sklearn.pipeline import Pipeline

from leadlight.features.feature import Feature
from leadlight.models.bootstrap import lead_clusters
from leadlight.models.calibration import Calibration, calibrate
from leadlight.models.candidates import CandidateName
from leadlight.models.compiled import CompiledModel, blended, compile_model
from leadlight.models.encoding import LeadEncoder, feature_kinds
from leadlight.models.explanation import explain_leads
from leadlight.models.fitting import bag_fits, side_by_side
from leadlight.models.lesson import Lesson
from leadlight.models.reasons import PointScale, ReasonGroups
from leadlight.models.strongest_reasons import strongest_reasons

_STEPS = {"logistic": 0.1, "boosted_additive": 200, "boosted_pairs": 1000, "unlimited_trees": 50}
"""Settings; so many steps that all 32 pairs are used, and as many free trees as there may be."""

_FRAME = 50_000  # leads at a time, as the nightly job has them in its parts
_TIMES = 10

MODELS: dict[str, tuple[CandidateName, ...]] = {
    "additive": ("logistic", "boosted_additive"),
    "pairs": ("logistic", "boosted_additive", "boosted_pairs"),
    "trees": ("logistic", "boosted_additive", "unlimited_trees"),
}


@dataclass(frozen=True)
class Scorer:
    """All that scoring with reasons needs, words apart.

    Attributes
    ----------
    compiled : CompiledModel
    fitted : list of (Pipeline, float)
        What it was compiled from, with weights.
    calibration : Calibration
    average : array of shape (k,)
        Parts of the average lead.
    features : list of Feature
    scale : PointScale
    """

    compiled: CompiledModel
    fitted: list[tuple[Pipeline, float]]
    calibration: Calibration
    average: np.ndarray
    features: list[Feature]
    scale: PointScale

    @classmethod
    def taught(cls, case: ExplainCase, members: tuple[CandidateName, ...], seed: int) -> "Scorer":
        """Fit a blend of equal weights, compile it and calibrate it."""
        features = [Feature(**each) for each in case.features]
        frame = case.frame()
        known, later = frame.iloc[: case.taught], frame.iloc[case.taught :]
        names = tuple(feature.name for feature in features)
        encoder = LeadEncoder(names, feature_kinds(features)).fit(known)
        won = known["label"].to_numpy(dtype=bool)
        ones = np.ones(len(known))
        lesson = Lesson(encoder.transform(known), won, ones, lead_clusters(known))
        fitted = []
        for name in members:
            fits = bag_fits(name, features, lesson, choice=_STEPS[name], seed=seed)
            bags = list(side_by_side(fits))
            weight = 1.0 / len(members) / len(bags)
            fitted += [(Pipeline([("encode", encoder), *bag.steps]), weight) for bag in bags]
        compiled = blended(
            [compile_model(pipeline, features) for pipeline, _ in fitted],
            [weight for _, weight in fitted],
        ).purified(known)
        parts = compiled.contributions(later)
        margin = compiled.total(parts)
        scale = PointScale(float(margin.min()), float(margin.max()))
        calibration = calibrate(margin, later["label"].to_numpy(dtype=bool))
        return cls(compiled, fitted, calibration, parts.mean(axis=0), features, scale)

    def explain(self, frame: pd.DataFrame) -> object:
        """Return every part, margin, probability, and the top reasons either way in points."""
        parts = self.compiled.contributions(frame)
        margin = self.compiled.total(parts)
        groups = ReasonGroups.of(self.features)
        reasons = strongest_reasons(parts, self.average, groups, self.scale)
        return parts, margin, self.calibration.probability(margin), reasons

    def tell(self, frame: pd.DataFrame) -> object:
        """Return the same with its sentences."""
        parts = self.compiled.contributions(frame)
        margin = self.compiled.total(parts)
        told = explain_leads(parts, self.average, self.features, frame, self.scale)
        return parts, margin, self.calibration.probability(margin), told

    def facts(self, frame: pd.DataFrame, repeats: int) -> dict[str, Any]:
        """Measure speed, memory, and the distance to what was fitted."""
        wanted = sum(weight * each.decision_function(frame) for each, weight in self.fitted)
        parts = self.compiled.contributions(frame)
        summed = self.compiled.baseline + parts.sum(axis=1)
        some = frame.iloc[:_FRAME]
        return {
            "rows_a_second": rate(lambda: self._stream(frame), len(frame), repeats),
            "rows_in_words": rate(lambda: self.tell(some), len(some), 1),
            "distance": float(np.abs(self.compiled.margin(frame) - wanted).max()),
            "sum": float(np.abs(self.compiled.margin(frame) - summed).max()),
            "megabytes": self._megabytes(some, 1),
            "megabytes_of_many": self._megabytes(some, _TIMES),
            "pairs": len(self.compiled.pairs),
            "thresholds": sum(len(shape.thresholds) for shape in self.compiled.shapes),
        }

    def _stream(self, frame: pd.DataFrame) -> None:
        for part in _in_parts(frame):
            self.explain(part)

    def _megabytes(self, frame: pd.DataFrame, times: int) -> float:
        """Return the most memory that so many frames, one after another, take at a time."""
        tracemalloc.start()
        for _ in range(times):
            self._stream(frame)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most / 2**20


def _in_parts(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    return (frame.iloc[start : start + _FRAME] for start in range(0, len(frame), _FRAME))


def main() -> None:
    folder, rows, repeats, seed = sys.argv[1:]
    started, case = time.perf_counter(), ExplainCase(Path(folder))
    frame = case.frame().iloc[case.taught :]
    shown = frame.sample(int(rows), replace=True, random_state=int(seed)).reset_index(drop=True)
    facts = {
        name: Scorer.taught(case, members, int(seed)).facts(shown, int(repeats))
        for name, members in MODELS.items()
    }
    spent = {"seconds": time.perf_counter() - started, "cpu": time.process_time()}
    print(json.dumps(spent | {"explainers": facts}))


if __name__ == "__main__":
    main()
