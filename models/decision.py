"""The decision version: all that turns a lead's features into an MQL decision, as one artefact."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlight.features.catalog import Feature, feature_catalog
from leadlight.features.definition import FeatureDefinition
from leadlight.features.errors import ModelNotFoundError, SchemaMismatchError
from leadlight.features.wording import ENGLISH, Wording, column_label

from .calibration import Calibration
from .compiled import CompiledModel
from .explanation import explain_leads
from .grades import grades_of
from .policies import UNCALIBRATED, Floors
from .reference import Distribution, Reference
from .threshold import ThresholdChoice

__all__ = ["FORMAT_VERSION", "DecisionVersion", "Distribution", "Reference"]

# Raised whenever an older leadlight could misread the payload.
FORMAT_VERSION = 3

ReasonKind = Literal["exact_parts", "shapley_values"]

Arrays = dict[str, NDArray[Any]]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Judged:
    """Leads as the decision version sees them, before a word is said.

    Attributes
    ----------
    parts : array of shape (n, k)
        Contributions to the margin, in log-odds.
    margin, probability : arrays of shape (n,)
    percentile, fit, engagement : arrays of shape (n,)
        Shares of held-out leads below, 0 to 1; NaN where the family has no features.
    mql : array of bool, shape (n,)
    """

    parts: Floats
    margin: Floats
    probability: Floats
    percentile: Floats
    fit: Floats
    engagement: Floats
    mql: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class JudgedModel:
    """The model that was evaluated: what scores is the same fitted again on all mature rows.

    A later window that it has not seen can judge it, beside a challenger that has not either.

    Attributes
    ----------
    compiled : CompiledModel
    calibration : Calibration
    """

    compiled: CompiledModel
    calibration: Calibration

    def probability(self, frame: pd.DataFrame) -> NDArray[Any]:
        """Return the calibrated probability of a win within the horizon, shape (n,)."""
        return self.calibration.probability(self.compiled.margin(frame))


@dataclass(frozen=True, eq=False)
class DecisionVersion:
    """A model with its calibration, reference, threshold and floors: what is registered whole.

    Attributes
    ----------
    compiled : CompiledModel
    calibration : Calibration
    reference : Reference
        Held-out leads that percentiles and reasons compare with.
    threshold : ThresholdChoice
    floors : Floors
    definition : FeatureDefinition
    metadata : dict
        Plain data: project, time of training, hashes, ``horizon_days``.
    judged : JudgedModel or None
        None in a version of an earlier leadlight, which scored with the model it had evaluated.
    """

    compiled: CompiledModel
    calibration: Calibration
    reference: Reference
    threshold: ThresholdChoice
    floors: Floors
    definition: FeatureDefinition
    metadata: dict[str, Any]
    judged: JudgedModel | None = None

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """Catalog entries of the compiled model's features, in its order.

        Raises
        ------
        SchemaMismatchError
            The catalog does not know a feature of the model.
        """
        known = {feature.name: feature for feature in feature_catalog(self.definition)}
        unknown = [name for name in self.compiled.features if name not in known]
        if unknown:
            raise SchemaMismatchError(
                f"The model has features that its definition does not make: {', '.join(unknown)}.",
                hint="The decision version comes from another leadlight. Train again.",
            )
        return tuple(known[name] for name in self.compiled.features)

    @property
    def reasons_are(self) -> ReasonKind:
        """What the parts of its margin are: read off tables, or shares of what features do.

        Both sum to the margin. With unlimited trees the same value can add more to one lead's
        margin than to another's.
        """
        return "shapley_values" if self.compiled.trees else "exact_parts"

    @property
    def uncalibrated(self) -> str | None:
        """Why no probability of it is to be believed, in a sentence; None where a model learned."""
        told = self.metadata.get(UNCALIBRATED)
        return None if told is None else str(told)

    def decide(self, frame: pd.DataFrame, wording: Wording = ENGLISH) -> pd.DataFrame:
        """Score leads, decide who is an MQL, and say why.

        Parameters
        ----------
        frame : DataFrame of n rows
            ``lead_id``, ``as_of`` (UTC; missing in a flat table), the features' columns, and the
            column of the threshold's segments, where it has any.
        wording : Wording
            In which the reasons are told.

        Returns
        -------
        DataFrame of n rows, in the same order
            ``lead_id``; ``as_of``; ``probability`` (calibrated, of a win within the horizon);
            ``percentile`` (share of held-out leads below, 0 to 1); ``grade`` (A from the 90th
            percentile, B from the 70th, C from the 40th, else D); ``mql``; ``fit_percentile`` and
            ``engagement_percentile`` (0 to 1, NaN where the family has no features);
            ``reasons_for`` and ``reasons_against`` (lists of at most three sentences), and their
            ids and whole points: see ``Reasons``.

        Raises
        ------
        SchemaMismatchError
            A column is missing, or its type is not the one that the model was trained on.
        """
        missing = [column for column in ("lead_id", "as_of") if column not in frame]
        if missing:
            raise SchemaMismatchError(
                f"The leads to score have no column {' and no column '.join(missing)}."
            )
        judged = self.judge(frame)
        reasons = explain_leads(
            judged.parts,
            self.reference.average_parts(frame),
            self.features,
            frame,
            self.reference.point_scale,
            wording,
        )
        return pd.DataFrame(
            {
                "lead_id": frame["lead_id"].to_numpy(),
                "as_of": frame["as_of"].array,
                "probability": judged.probability,
                "percentile": judged.percentile,
                "grade": grades_of(judged.percentile),
                "mql": judged.mql,
                "fit_percentile": judged.fit,
                "engagement_percentile": judged.engagement,
                **{column: pd.Series(told, dtype=object) for column, told in vars(reasons).items()},
            }
        )

    def judge(self, frame: pd.DataFrame) -> Judged:
        """Score leads and decide who is an MQL, without reasons.

        Parameters
        ----------
        frame : DataFrame of n rows
            As ``decide`` takes it.

        Raises
        ------
        SchemaMismatchError
            A column is missing, or its type is not the one that the model was trained on.
        """
        parts = self.compiled.contributions(frame)
        margin = self.compiled.total(parts)
        probability = self.calibration.probability(margin)
        fit = self.reference.family_percentile(parts, self.features, "fit")
        engagement = self.reference.family_percentile(parts, self.features, "engagement")
        return Judged(
            parts=parts,
            margin=margin,
            probability=probability,
            percentile=self.reference.margin.percentile(margin),
            fit=fit,
            engagement=engagement,
            mql=(probability >= self.threshold.least(frame)) & self.floors.passed(fit, engagement),
        )

    def points_of_probability(self, probability: float) -> float:
        """Return the points of 100 of a calibrated probability, not rounded."""
        margin = self.calibration.margin(probability)
        return float(self.reference.point_scale.points(margin))

    def definition_in_words(self, wording: Wording = ENGLISH) -> str:
        """Say what makes an MQL, in one sentence."""
        horizon = self.metadata.get("horizon_days")
        said = wording.say(
            "definition.probability",
            within=wording.say("definition.within", horizon) if horizon else "",
            least=self._least(wording),
        )
        floors = [
            wording.say(f"definition.{family}_floor", share=wording.percent(floor))
            for family, floor in asdict(self.floors).items()
            if floor > 0.0 and getattr(self.reference, family) is not None
        ]
        told = wording.say(
            "definition.sentence", parts=wording.say("definition.and").join([said, *floors])
        )
        return f"{told} {wording.say('definition.uncalibrated')}" if self.uncalibrated else told

    def _least(self, wording: Wording) -> str:
        if not self.threshold.segments:
            return wording.chance(self.threshold.threshold)
        segments = [
            wording.say(
                "definition.for_segment", least=wording.chance(each.threshold), segment=each.segment
            )
            for each in self.threshold.segments
        ]
        return wording.say(
            "definition.by_segment",
            by=column_label(wording, str(self.threshold.by)),
            segments=", ".join(segments),
        )

    def to_payload(self) -> tuple[dict[str, Any], Arrays]:
        """Return plain data for a JSON file and arrays for an ``npz`` file."""
        model, model_arrays = self.compiled.to_payload()
        payload = {
            "format_version": FORMAT_VERSION,
            "metadata": self.metadata,
            "definition": self.definition.to_dict(),
            "floors": asdict(self.floors),
            "threshold": self.threshold.to_dict(),
            "calibration": self.calibration.to_dict(),
            "model": model,
        }
        arrays: Arrays = {f"model.{name}": array for name, array in model_arrays.items()}
        for name, array in self.reference.to_arrays().items():
            arrays[f"reference.{name}"] = array
        if self.judged:
            model, model_arrays = self.judged.compiled.to_payload()
            calibration = self.judged.calibration.to_dict()
            payload["judged"] = {"model": model, "calibration": calibration}
            arrays |= {f"judged.{name}": array for name, array in model_arrays.items()}
        return payload, arrays

    @classmethod
    def from_payload(
        cls, payload: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> "DecisionVersion":
        """Read what ``to_payload`` gave.

        Raises
        ------
        SchemaMismatchError
            It was written by a newer leadlight.
        ModelNotFoundError
            It is not a decision version, or it is damaged.
        """
        _check_format(payload)
        try:
            return cls(
                compiled=CompiledModel.from_payload(payload["model"], _under("model.", arrays)),
                calibration=Calibration.from_dict(payload["calibration"]),
                reference=Reference.from_arrays(_under("reference.", arrays)),
                threshold=ThresholdChoice.from_dict(payload["threshold"]),
                floors=Floors(**payload["floors"]),
                definition=FeatureDefinition.from_dict(payload["definition"]),
                metadata=dict(payload["metadata"]),
                judged=_judged(payload.get("judged"), arrays),
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ModelNotFoundError(
                f"The decision version is damaged: {error!r}.",
                hint="Train again, or restore the artefact store from its backup.",
            ) from error


def _judged(
    payload: Mapping[str, Any] | None, arrays: Mapping[str, NDArray[Any]]
) -> JudgedModel | None:
    if payload is None:
        return None
    return JudgedModel(
        CompiledModel.from_payload(payload["model"], _under("judged.", arrays)),
        Calibration.from_dict(payload["calibration"]),
    )


def _under(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _check_format(payload: Mapping[str, Any]) -> None:
    written = payload.get("format_version")
    if not isinstance(written, int):
        raise ModelNotFoundError(
            "The artefact is not a decision version: it has no format_version.",
            hint="Name the model that leadlight registered, or train again.",
        )
    if written > FORMAT_VERSION:
        raise SchemaMismatchError(
            f"The decision version has format {written}; this leadlight reads up to "
            f"{FORMAT_VERSION}.",
            hint="Upgrade leadlight (pip install --upgrade leadlight), or train again.",
        )
