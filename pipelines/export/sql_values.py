"""Numbers, look-ups and calibration as SQL that means the same in every dialect."""

import math
from collections.abc import Sequence
from itertools import pairwise

from sqlglot import exp

from leadlight.models.calibration import Calibration
from leadlight.models.shape import Line

# Beyond this the probability is 0 or 1 to the last digit, and some databases refuse exp().
_LARGEST_EXPONENT = 700.0


def column(name: str) -> exp.Column:
    """Return a quoted column."""
    return exp.column(name, quoted=True)


def number(value: float) -> exp.Expression:
    """Return a literal that is a double with all its digits: ``1.5e0``, never a decimal."""
    text = repr(abs(float(value)))
    literal = exp.Literal.number(text if "e" in text else f"{text}e0")
    return exp.Neg(this=literal) if math.copysign(1.0, value) < 0.0 else literal


def double(value: float) -> exp.Expression:
    """Return a literal cast to double: PostgreSQL takes a bare one for a decimal."""
    return exp.cast(number(value), "double")


def whole(value: int) -> exp.Expression:
    """Return an integer literal."""
    return exp.Literal.number(value)


def total(terms: Sequence[exp.Expression]) -> exp.Expression:
    """Add from the left, as the model does, so that the last digit is the same."""
    added = terms[0]
    for term in terms[1:]:
        added = exp.Add(this=added, expression=term)
    return added


def product(first: exp.Expression, second: exp.Expression) -> exp.Expression:
    """Multiply, each factor in parentheses where it needs them."""
    return exp.Mul(this=exp.paren(first), expression=exp.paren(second))


def chosen(
    branches: Sequence[tuple[exp.Expression, exp.Expression]], otherwise: exp.Expression
) -> exp.Expression:
    """Return ``CASE WHEN ... THEN ... ELSE ... END``, or the other value without branches."""
    if not branches:
        return otherwise
    case = exp.Case(default=otherwise)
    for condition, value in branches:
        case = case.when(condition, value, copy=False)
    return case


def step_table(
    of: exp.Expression, cuts: Sequence[float], values: Sequence[exp.Expression]
) -> exp.Expression:
    """Look a number up: ``values[i]`` where ``cuts[i - 1] < x <= cuts[i]``, by halving.

    A nested ``CASE`` of a few comparisons a row, whatever the number of cuts. Neighbouring steps
    of the same value are one.

    Parameters
    ----------
    of : Expression
        Not NULL.
    cuts : sequence of float, length t
        Ascending.
    values : sequence of Expression, length t + 1
    """
    kept = [at for at in range(len(cuts)) if values[at] != values[at + 1]]
    return _halved(of, [cuts[at] for at in kept], [*(values[at] for at in kept), values[-1]])


def _halved(
    of: exp.Expression, cuts: Sequence[float], values: Sequence[exp.Expression]
) -> exp.Expression:
    if not cuts:
        return values[0].copy()
    middle = len(cuts) // 2
    return chosen(
        [
            (
                exp.LTE(this=of.copy(), expression=number(cuts[middle])),
                _halved(of, cuts[:middle], values[: middle + 1]),
            )
        ],
        _halved(of, cuts[middle + 1 :], values[middle + 1 :]),
    )


def is_missing(of: exp.Expression, dialect: str) -> exp.Expression:
    """Whether a number is NULL or NaN; a database without ``isnan`` holds NaN equal to itself."""
    if dialect in {"postgres", "snowflake"}:
        nan: exp.Expression = exp.EQ(
            this=of.copy(), expression=exp.cast(exp.Literal.string("NaN"), "double")
        )
    else:
        nan = exp.IsNan(this=of.copy())
    return exp.Or(this=exp.Is(this=of.copy(), expression=exp.null()), expression=nan)


def signed_log(of: exp.Expression) -> exp.Expression:
    """Return sign(x) ln(1 + |x|)."""
    grown = exp.Ln(this=exp.Add(this=number(1.0), expression=of.copy()))
    shrunk = exp.Neg(this=exp.Ln(this=exp.Sub(this=number(1.0), expression=of.copy())))
    return chosen([(exp.LT(this=of.copy(), expression=number(0.0)), shrunk)], grown)


def line_part(line: Line, log: exp.Expression) -> exp.Expression:
    """Return what a line adds at a signed logarithm."""
    place = exp.Add(this=product(log.copy(), number(line.scale)), expression=number(line.shift))
    return product(clipped(place, 0.0, 1.0), number(line.slope))


def clipped(of: exp.Expression, low: float, high: float) -> exp.Expression:
    """Hold a number that is not NULL between two others."""
    # Named as they are, since DuckDB's writer would guard each argument against NULL.
    raised = exp.Anonymous(this="GREATEST", expressions=[of, double(low)])
    return exp.Anonymous(this="LEAST", expressions=[raised, double(high)])


def calibrated(margin: exp.Expression, calibration: Calibration) -> exp.Expression:
    """Return the calibrated log-odds of a margin."""
    knots = calibration.knots
    if not knots:
        straight = product(number(calibration.slope), margin)
        return exp.Add(this=straight, expression=number(calibration.intercept))
    starts = [knots[0], *knots[:-1], knots[-1]]
    slopes = [
        calibration.slope,
        *((after[1] - before[1]) / (after[0] - before[0]) for before, after in pairwise(knots)),
        calibration.slope,
    ]
    pieces = [
        exp.Add(
            this=number(wanted),
            expression=product(number(slope), exp.Sub(this=margin.copy(), expression=number(at))),
        )
        for (at, wanted), slope in zip(starts, slopes, strict=True)
    ]
    bent = step_table(margin, [at for at, _ in knots], pieces)
    return exp.Add(this=bent, expression=number(calibration.intercept))


def probability(log_odds: exp.Expression) -> exp.Expression:
    """Return 1 / (1 + exp(-x)), without an overflow."""
    held = clipped(log_odds, -_LARGEST_EXPONENT, _LARGEST_EXPONENT)
    odds = exp.Add(this=number(1.0), expression=exp.Exp(this=exp.Neg(this=held)))
    return exp.Div(this=double(1.0), expression=exp.paren(odds))
