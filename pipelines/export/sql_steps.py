"""The steps of the exported query: what each of its named sub-queries computes from the one before.

Pure functions from a decision version to columns; nothing here is executed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from sqlglot import exp

from leadlight.models.decision import DecisionVersion
from leadlight.models.encoding import LARGEST
from leadlight.models.grades import GRADES
from leadlight.models.policies import OTHER_SEGMENTS, SEGMENT_COLUMN
from leadlight.models.reasons import ReasonGroups
from leadlight.models.reference import Distribution
from leadlight.models.strongest_reasons import REASONS

from .sql_values import (
    calibrated,
    chosen,
    clipped,
    column,
    double,
    is_missing,
    line_part,
    number,
    product,
    signed_log,
    step_table,
    total,
    whole,
)

Columns = Mapping[str, exp.Expression]

KEYS = ("lead_id", "as_of")
DIRECTIONS = {"for": 1, "against": -1}
# Of probabilities: the last digits of exp() differ between databases.
_LAST_DIGITS = 1e-12
_NEVER = -1e300


@dataclass(frozen=True)
class Step:
    """One named sub-query.

    Attributes
    ----------
    name : str
    columns : mapping of str to Expression
        What it computes; columns of the step before are named as they are.
    """

    name: str
    columns: Columns


def _carried(decision: DecisionVersion) -> tuple[str, ...]:
    """Return the columns that go through all steps; a lead's segment, where thresholds ask it."""
    return (*KEYS, SEGMENT_COLUMN) if decision.threshold.by else KEYS


def model_steps(decision: DecisionVersion, dialect: str) -> list[Step]:
    """Return the steps from the feature table to the parts of the margin: ``p0``, ``p1``, ..."""
    keys = {name: column(name) for name in _carried(decision)}
    if decision.reference.segments is not None:
        keys["segment"] = column(decision.reference.segments.feature)
    read = Step("features_read", keys | _read(decision, dialect))
    passed = {name: column(name) for name in read.columns}
    logs = {
        f"l{at}": chosen([(_is_null(f"x{at}"), exp.null())], signed_log(column(f"x{at}")))
        for at, shape in enumerate(decision.compiled.shapes)
        if shape.lines and f"x{at}" in passed
    }
    slots = Step("steps", passed | logs | _slots(decision))
    cells = Step("pairs", {name: column(name) for name in slots.columns} | _halves(decision))
    parts = {name: column(name) for name in keys} | _parts(decision)
    return [read, slots, cells, Step("parts", parts)]


def score_steps(decision: DecisionVersion) -> list[Step]:
    """Return the steps from the parts to margin, families, and the strength of each reason."""
    features = decision.features
    margin = [
        double(decision.compiled.baseline),
        *(column(f"p{at}") for at in range(len(features))),
    ]
    columns: dict[str, exp.Expression] = {name: column(name) for name in _carried(decision)}
    columns["margin"] = total(margin)
    for family in ("fit", "engagement"):
        members = [column(f"p{at}") for at, each in enumerate(features) if each.family == family]
        columns[family] = total([double(0.0), *members])
    for at, strength in enumerate(_strengths(decision)):
        columns[f"r{at}"] = strength
    totals = Step("totals", columns)
    passed = {name: column(name) for name in columns}
    log_odds = passed | {"log_odds": calibrated(column("margin"), decision.calibration)}
    return [totals, Step("log_odds", log_odds)]


def reason_steps(decision: DecisionVersion) -> list[Step]:
    """Return the steps that find the strongest reasons one after the other.

    For each rank two steps: the largest strength (``best``), and whose it is (``place``).
    """
    groups = range(len(ReasonGroups.of(decision.features).ids))
    sums = ("margin", "fit", "engagement", "log_odds")
    passed = [*_carried(decision), *sums, *(f"r{at}" for at in groups)]
    steps = []
    for rank in _ranks(groups):
        for name, found in (("best", _best(groups, rank)), ("place", _places(groups, rank))):
            kept = {name: column(name) for name in passed}
            steps.append(Step(f"{name}_{rank}", kept | found))
            passed += found
    return steps


def _ranks(groups: Sequence[object]) -> range:
    return range(1, min(REASONS, len(groups)) + 1)


def _best(groups: range, rank: int) -> dict[str, exp.Expression]:
    best = {}
    for direction, sign in DIRECTIONS.items():
        first, *others = (_left(at, direction, sign, rank) for at in groups)
        largest = exp.Anonymous(this="GREATEST", expressions=[first, *others])
        best[f"best_{direction}_{rank}"] = largest if others else first
    return best


def _places(groups: range, rank: int) -> dict[str, exp.Expression]:
    places = {}
    for direction, sign in DIRECTIONS.items():
        best = column(f"best_{direction}_{rank}")
        branches: list[tuple[exp.Expression, exp.Expression]] = [
            (
                exp.EQ(this=_left(at, direction, sign, rank), expression=best.copy()),
                whole(at),
            )
            for at in groups[:-1]
        ]
        places[f"place_{direction}_{rank}"] = chosen(branches, whole(groups[-1]))
    return places


def answer(decision: DecisionVersion) -> Columns:
    """Return the columns of the answer, one row a lead."""
    ids = ReasonGroups.of(decision.features).ids
    scale = decision.reference.point_scale.per_log_odds
    columns: dict[str, exp.Expression] = {
        name: column(name) for name in (*KEYS, "margin", "probability")
    }
    columns["grade"] = _grade(decision.reference.margin)
    columns["mql"] = _mql(decision)
    for direction, sign in DIRECTIONS.items():
        for rank in _ranks(ids):
            name = exp.Case(this=column(f"place_{direction}_{rank}"))
            for at, group in enumerate(ids):
                name = name.when(whole(at), exp.Literal.string(group), copy=False)
            points = _points(column(f"best_{direction}_{rank}"), scale)
            told = exp.GTE(this=points, expression=whole(1))
            signed = points.copy() if sign > 0 else exp.Neg(this=points.copy())
            columns[f"reason_{direction}_{rank}"] = chosen([(told, name)], exp.null())
            columns[f"points_{direction}_{rank}"] = chosen([(told.copy(), signed)], exp.null())
    return columns


def _points(strength: exp.Expression, scale: float) -> exp.Expression:
    """Round to whole points, half a point upwards."""
    exact = exp.Add(this=product(strength, double(scale)), expression=number(0.5))
    return exp.cast(exp.Floor(this=exact), "bigint")


def _is_flat(decision: DecisionVersion, at: int) -> bool:
    """Whether a feature adds the same to every lead."""
    shape = decision.compiled.shapes[at]
    paired = any(at in {pair.first, pair.second} for pair in decision.compiled.pairs)
    return not shape.lines and not paired and float(np.ptp(shape.table)) == 0.0


def _is_null(name: str) -> exp.Expression:
    return exp.Is(this=column(name), expression=exp.null())


def _read(decision: DecisionVersion, dialect: str) -> dict[str, exp.Expression]:
    """Read each feature that can move the margin: a double, or the place of a category's level."""
    encoding = decision.compiled.encoding
    read: dict[str, exp.Expression] = {}
    for at, (name, levels) in enumerate(zip(encoding.names, encoding.levels, strict=True)):
        if name in encoding.unlearned or _is_flat(decision, at):
            continue
        if levels is None:
            known: exp.Expression = clipped(exp.cast(column(name), "double"), -LARGEST, LARGEST)
            missing = is_missing(column(name), dialect)
        else:
            known = exp.Case(this=column(name), default=whole(len(levels)))
            for place, level in enumerate(levels):
                known = known.when(exp.Literal.string(level), whole(place), copy=False)
            known = known if levels else whole(0)
            missing = _is_null(name)
        read[f"x{at}"] = chosen([(missing, exp.null())], known)
    return read


def _slots(decision: DecisionVersion) -> dict[str, exp.Expression]:
    """Return the row and the column of each pair's grid."""
    slots = {}
    for at, pair in enumerate(decision.compiled.pairs):
        for axis, feature, cuts in (
            ("a", pair.first, pair.first_cuts),
            ("b", pair.second, pair.second_cuts),
        ):
            places = [whole(place) for place in range(len(cuts) + 1)]
            slots[f"{axis}{at}"] = _looked_up(
                decision, feature, cuts.tolist(), places, whole(len(cuts) + 1)
            )
    return slots


def _halves(decision: DecisionVersion) -> dict[str, exp.Expression]:
    """Return half of what each pair adds, found by its cell."""
    halves = {}
    for at, pair in enumerate(decision.compiled.pairs):
        values = [double(value) for value in (pair.values.ravel() / 2.0).tolist()]
        cell = exp.Add(
            this=product(column(f"a{at}"), whole(pair.values.shape[1])),
            expression=column(f"b{at}"),
        )
        cuts = [place + 0.5 for place in range(len(values) - 1)]
        halves[f"h{at}"] = step_table(cell, cuts, values)
    return halves


def _parts(decision: DecisionVersion) -> dict[str, exp.Expression]:
    parts = {}
    for at, shape in enumerate(decision.compiled.shapes):
        lines = [line_part(line, column(f"l{at}")) for line in shape.lines]
        part = _looked_up(
            decision,
            at,
            shape.thresholds.tolist(),
            [double(value) for value in shape.steps.tolist()],
            double(shape.missing),
            lines,
        )
        pairs = [
            column(f"h{place}")
            for place, pair in enumerate(decision.compiled.pairs)
            if at in {pair.first, pair.second}
        ]
        parts[f"p{at}"] = total([part, *pairs])
    return parts


def _looked_up(
    decision: DecisionVersion,
    at: int,
    cuts: Sequence[float],
    steps: Sequence[exp.Expression],
    missing: exp.Expression,
    lines: Sequence[exp.Expression] = (),
) -> exp.Expression:
    """Look a feature up in a table; one that is not read counts as 0 for every lead."""
    encoding = decision.compiled.encoding
    shape = decision.compiled.shapes[at]
    if encoding.names[at] in encoding.unlearned:
        logs = [double(float(line.parts(np.zeros(1))[0])) for line in shape.lines]
        return total([steps[int(np.searchsorted(cuts, 0.0, side="left"))], *logs])
    if _is_flat(decision, at):
        return missing
    known = total([step_table(column(f"x{at}"), cuts, steps), *lines])
    return chosen([(_is_null(f"x{at}"), missing)], known)


def _strengths(decision: DecisionVersion) -> list[exp.Expression]:
    """Return each group's parts beyond the average lead's."""
    reference = decision.reference
    groups = ReasonGroups.of(decision.features)
    strengths = []
    for members in groups.members:
        beyond = [
            exp.Sub(this=column(f"p{at}"), expression=number(reference.mean_parts[at]))
            for at in members
        ]
        if reference.segments is not None:
            of_all = reference.mean_parts[list(members)].sum()
            of_each = reference.segments.mean_parts[:, list(members)].sum(axis=1)
            average = chosen(
                [
                    (exp.EQ(this=column("segment"), expression=_segment(value)), number(mean))
                    for value, mean in zip(reference.segments.values, of_each, strict=True)
                ],
                double(of_all),
            )
            beyond = [exp.Sub(this=total([column(f"p{at}") for at in members]), expression=average)]
        strengths.append(total([exp.paren(each) for each in beyond]))
    return strengths


def _segment(value: str) -> exp.Expression:
    """Return a segment's value: a text, or the number that a band begins with."""
    try:
        return number(float(value))
    except ValueError:
        return exp.Literal.string(value)


def _left(at: int, direction: str, sign: int, rank: int) -> exp.Expression:
    """Return a reason's strength, as far as no earlier rank took it."""
    strength: exp.Expression = column(f"r{at}")
    strength = strength if sign > 0 else exp.Neg(this=strength)
    taken: list[exp.Expression] = [
        exp.EQ(this=column(f"place_{direction}_{before}"), expression=whole(at))
        for before in range(1, rank)
    ]
    return chosen([(reduce(_either, taken), double(_NEVER))] if taken else [], strength)


def _either(first: exp.Expression, second: exp.Expression) -> exp.Expression:
    return exp.Or(this=first, expression=second)


def _both(first: exp.Expression, second: exp.Expression) -> exp.Expression:
    return exp.And(this=first, expression=second)


def _grade(margins: Distribution) -> exp.Expression:
    *better, (last, _) = GRADES
    return chosen(
        [
            (_reaches("margin", margins, share), exp.Literal.string(grade))
            for grade, share in better
        ],
        exp.Literal.string(last),
    )


def _mql(decision: DecisionVersion) -> exp.Expression:
    reference, floors = decision.reference, decision.floors
    own = {
        each.segment: number(each.threshold - _LAST_DIGITS) for each in decision.threshold.segments
    }
    least = own.pop(OTHER_SEGMENTS, number(decision.threshold.threshold - _LAST_DIGITS))
    if own:
        segment = exp.Case(this=column(SEGMENT_COLUMN), default=least)
        for name, threshold in own.items():
            segment = segment.when(exp.Literal.string(name), threshold, copy=False)
        least = segment
    asked: list[exp.Expression] = [exp.GTE(this=column("probability"), expression=least)]
    for family, distribution, floor in (
        ("fit", reference.fit, floors.fit),
        ("engagement", reference.engagement, floors.engagement),
    ):
        if distribution is not None and floor > 0.0:
            asked.append(_reaches(family, distribution, floor))
    return reduce(_both, asked)


def _reaches(name: str, distribution: Distribution, share: float) -> exp.GTE:
    return exp.GTE(this=column(name), expression=number(distribution.least_reaching(share)))
