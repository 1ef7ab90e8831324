"""How the report writes numbers, days and foreign text."""

import math
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime

import pandas as pd

LONGEST_TEXT = 500

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
# Joiners and variation selectors mean nothing at the end of a text that was cut.
_LOOSE_ENDS = "\u200c\u200d\ufe0e\ufe0f"


def number(value: object) -> float | None:
    """Return a finite float, or None for whatever is missing, infinite or no number."""
    if isinstance(value, Mapping):
        value = value.get("value")
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    try:
        result = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return result if math.isfinite(result) else None


def percent(share: float | None) -> str:
    """Write a share as a percentage, with as many digits as carry meaning.

    Parameters
    ----------
    share : float or None
        0.234 is 23%. What is not quite nothing or all is never rounded to 0% or 100%.

    Examples
    --------
    >>> [percent(share) for share in (0.234, 0.0519, 0.00312, 0.00001, 0.9999, 1.0)]
    ['23%', '5.2%', '0.31%', '<0.01%', '>99.9%', '100%']
    """
    if share is None:
        return "–"
    if share < 0:
        return f"−{percent(-share)}"
    if 0 < share < 0.0001:
        return "<0.01%"
    if 0.999 < share < 1:
        return ">99.9%"
    digits = 0 if share == 0 else 2 if share < 0.00995 else 1 if share < 0.0995 else 0
    if 0.99 <= share < 1:
        digits = 1
    text = f"{share * 100:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if digits else text}%"


def points(share: float | None) -> str:
    """Write a difference of two shares in percentage points: 0.012 is "1.2"."""
    return "–" if share is None else f"{share * 100:.1f}"


def count(value: float | None) -> str:
    """Write a whole number with thousands set apart: 12,345."""
    return "–" if value is None else f"{value:,.0f}"


def decimal(value: float | None, digits: int = 3) -> str:
    """Write a figure with a fixed number of decimals, and a true minus sign."""
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "−")


def times(value: float | None) -> str:
    """Write a ratio: "4.1 times", or "14 times" from ten up."""
    return "–" if value is None else f"{value:.{0 if value >= 10 else 1}f} times"


def metric_text(value: float | None, unit: str) -> str:
    """Write a metric in its unit: ``percent``, ``times``, ``points``, or a plain number."""
    if unit == "percent":
        return percent(value)
    if unit == "times":
        return times(value)
    return points(value) if unit == "points" else decimal(value)


def interval_text(low: float | None, high: float | None, unit: str) -> str:
    """Write an interval in its unit: "4.2 to 4.8 times", or a dash where it is unknown."""
    if low is None or high is None:
        return "–"
    return f"{metric_text(low, unit).removesuffix(' times')} to {metric_text(high, unit)}"


def day(moment: object) -> str | None:
    """Write the UTC day of a moment: "1 March 2026"; None for nothing.

    Parameters
    ----------
    moment : datetime, date, str or None
        A text is ISO 8601; without a zone it is taken as UTC.
    """
    if moment is None or moment is pd.NaT or moment == "":
        return None
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    if not isinstance(moment, date):
        return None
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def showable(text: str) -> str:
    """Return a text with blanks for what no page may hold: control characters, lone surrogates."""
    return "".join(
        " " if unicodedata.category(character) in {"Cc", "Cs", "Cn", "Co"} else character
        for character in text
    )


def plain(text: object, longest: int = LONGEST_TEXT) -> str:
    """Return foreign text as one line of showable characters, shortened with an ellipsis.

    Control characters and lone surrogates (which no HTML or XML may hold) become blanks; markup is
    left alone, because escaping is the page's business.

    Parameters
    ----------
    text : object
    longest : int
        Characters that are kept.
    """
    # Cut before cleaning as well, so that a text of megabytes costs nothing.
    line = " ".join(showable(str(text)[: longest * 8]).split())
    if len(line) <= longest:
        return line
    cut = line[: longest - 1].rstrip(_LOOSE_ENDS)
    while cut and unicodedata.combining(cut[-1]) and len(cut) > longest // 2:
        cut = cut[:-1]
    return f"{cut.rstrip()}…"
