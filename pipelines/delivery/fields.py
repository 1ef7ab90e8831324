"""What a sink can be told of a lead, and where a lead stands: the seam to the scores."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from leadlight.features.errors import SchemaMismatchError

FieldType = Literal["id", "number", "whole", "word", "text", "flag", "time"]


@dataclass(frozen=True)
class DeliveredField:
    """One thing that a sink can be told.

    Attributes
    ----------
    type : {"id", "number", "whole", "word", "text", "flag", "time"}
        A word is short, a text may be long, a time is UTC.
    label : str
        What people read above it in a CRM.
    """

    type: FieldType
    label: str


FIELDS: Mapping[str, DeliveredField] = MappingProxyType(
    {
        "lead_id": DeliveredField("id", "Lead"),
        "probability": DeliveredField("number", "Probability to convert"),
        "score": DeliveredField("whole", "Lead score"),
        "grade": DeliveredField("word", "Grade"),
        "state": DeliveredField("word", "MQL state"),
        "mql": DeliveredField("flag", "Is an MQL"),
        "explored": DeliveredField("flag", "Is an MQL by chance (exploration)"),
        "percentile": DeliveredField("number", "Percentile"),
        "fit_percentile": DeliveredField("number", "Percentile of fit"),
        "engagement_percentile": DeliveredField("number", "Percentile of engagement"),
        "reasons_for": DeliveredField("text", "Reasons for"),
        "reasons_against": DeliveredField("text", "Reasons against"),
        "as_of": DeliveredField("time", "Scored as of"),
        "decision_version": DeliveredField("whole", "Decision version"),
    }
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a lead stands, as far as a sink has to be told when it changes.

    Attributes
    ----------
    lead_id : str
    score : int
        The probability in whole points of a hundred; 0 of a lead that is not scored any more.
    grade, state : str
        The grade is empty of a lead that is not scored any more.
    fingerprint : str
        Of score, grade, state and the reasons' ids; their texts age daily and do not count.
    """

    lead_id: str
    score: int
    grade: str
    state: str
    fingerprint: str


# Which reasons a lead has; what they say changes with every day.
_LIFE = ("state", "explored")
_REASON_IDS = ("reason_ids_for", "reason_ids_against")


def deliverable(scores: pa.Table) -> pa.Table:
    """Return scores as sinks are told them: ``FIELDS``, and the ids of the reasons.

    Parameters
    ----------
    scores : pyarrow.Table
        A partition of scores.

    Raises
    ------
    SchemaMismatchError
        An earlier leadlight scored these leads, and gave reasons no ids.
    """
    if not set(_REASON_IDS) <= set(scores.column_names):
        raise SchemaMismatchError(
            "the newest scores are of an earlier leadlight", hint="Score again: leadlight score"
        )
    points = pc.cast(pc.round(pc.multiply(scores["probability"], 100.0)), pa.int64())
    scores = scores.append_column("score", points)
    # A flat table knows no time, and so no life of a lead but what its score says.
    by_score = pc.if_else(scores["mql"], "mql", "lead")
    known = scores["state"] if "state" in scores.column_names else by_score
    state = pc.coalesce(known, by_score)
    explored = pa.array([False] * len(scores))
    if "explored" in scores.column_names:
        explored = pc.coalesce(scores["explored"], False)
    scores = scores.drop_columns([name for name in _LIFE if name in scores.column_names])
    scores = scores.append_column("state", state).append_column("explored", explored)
    return scores.select([*FIELDS, *_REASON_IDS])


def unscored(status: pa.Table, as_of: datetime, scores: pa.Table) -> pa.Table:
    """Return the leads that are not scored any more, with the state that they are in.

    Customers, leads with an open deal, leads that cool down: they have no score, and a sink that
    knows them as MQLs must learn that they are none.

    Parameters
    ----------
    status : pyarrow.Table
        Of every lead, after the run that scored.
    as_of : datetime
        Of that run, UTC.
    scores : pyarrow.Table
        From ``deliverable``; what it holds is left out.
    """
    left = status.filter(pc.invert(pc.is_in(status["lead_id"], scores["lead_id"])))
    rows = left.num_rows
    told = {
        "lead_id": left["lead_id"],
        "state": left["state"],
        "mql": pa.array([False] * rows, pa.bool_()),
        "as_of": pa.array([as_of] * rows, pa.timestamp("us", tz="UTC")),
    }
    columns = [told.get(field.name, pa.nulls(rows, field.type)) for field in scores.schema]
    return pa.Table.from_arrays(
        [pc.cast(each, field.type) for each, field in zip(columns, scores.schema, strict=True)],
        schema=scores.schema,
    )


def standings(scores: pa.Table) -> list[Standing]:
    """Say where each lead stands.

    Parameters
    ----------
    scores : pyarrow.Table
        From ``deliverable``.
    """
    columns = ("lead_id", "score", "grade", "state", *_REASON_IDS)
    rows = zip(*(scores[name].to_pylist() for name in columns), strict=True)
    return [
        Standing(
            lead_id,
            score or 0,
            grade or "",
            state,
            _fingerprint([score, grade, state, ids_for, ids_against]),
        )
        for lead_id, score, grade, state, ids_for, ids_against in rows
    ]


def _fingerprint(what: list[Any]) -> str:
    return hashlib.blake2b(json.dumps(what).encode(), digest_size=16).hexdigest()
