"""Lead intake: who the new leads are, day by day: floods of one sort, and columns gone constant."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .alarms import Finding, Limits
from .event_streams import volume_findings
from .rhythm import chance_of_share, surprise

Counts = NDArray[np.int64]

NEW_LEADS = "new leads"
_SPANS = (1, 3)
_FEWEST = 10


@dataclass(frozen=True, eq=False)
class IntakeColumn:
    """New leads by day and by value of one column.

    Attributes
    ----------
    column : str
    values : tuple of str
    leads : array of shape (n, k)
        New leads of each day with each value, the last day last.
    """

    column: str
    values: tuple[str, ...]
    leads: Counts


def intake_columns(intake: pd.DataFrame, last_day: date, days: int) -> tuple[IntakeColumn, ...]:
    """Lay new leads out by column, value and day.

    Parameters
    ----------
    intake : DataFrame
        ``column``, ``value``, ``day`` (date), ``leads``; one row for each that occurred.
    last_day : date
    days : int
        How many days to lay out, up to and with the last.
    """
    back = last_day.toordinal() - np.array([day.toordinal() for day in intake["day"]], dtype=int)
    within = intake[(back >= 0) & (back < days)].assign(
        at=days - 1 - back[(back >= 0) & (back < days)]
    )
    columns = []
    for column, rows in within.groupby("column", sort=True):
        codes, values = pd.factorize(rows["value"], sort=True)
        leads = np.zeros((days, len(values)), dtype=np.int64)
        np.add.at(leads, (rows["at"].to_numpy(dtype=int), codes), rows["leads"].to_numpy(dtype=int))
        columns.append(IntakeColumn(str(column), tuple(map(str, values)), leads))
    return tuple(columns)


def intake_findings(
    columns: Iterable[IntakeColumn], new_leads: Counts, limits: Limits
) -> list[Finding]:
    """Look at how many leads are new, and at who they are.

    Parameters
    ----------
    columns : iterable of IntakeColumn
    new_leads : array of shape (n,)
        New leads of each day.
    limits : Limits
    """
    findings = volume_findings(NEW_LEADS, new_leads, limits)
    for column in columns:
        findings += [one for span in _SPANS if (one := _constant(column, span))]
        findings += [
            one
            for at in range(len(column.values))
            for span in _SPANS
            if (one := _flood(column, at, span, limits))
        ]
    return findings


def _constant(column: IntakeColumn, span: int) -> Finding | None:
    """Whether all new leads of the last days have the same value, as they never had before."""
    now, before = column.leads[-span:].sum(axis=0), column.leads[:-span].sum(axis=0)
    total = int(now.sum())
    if not total or not before.sum():
        return None
    top = int(np.argmax(now))
    share = (before[top] + 1) / (before.sum() + 2)
    same = int(now[top]) == total
    return Finding(
        "constant column",
        column.column,
        math.exp(total * math.log(share)) if same else 1.0,
        same and share < 0.95,
        "act",
        f"{column.column}: all {total:,} new leads of the last {span} days have the value "
        f"'{column.values[top]}'; before, {share:.0%} had.",
        (column.column, *(_label(column, at) for at in range(len(column.values)))),
    )


def _flood(column: IntakeColumn, at: int, span: int, limits: Limits) -> Finding | None:
    """Whether far more new leads than usual have one value, on top of all others.

    Busy and slow days move all values alike, so the chance is that of the value's share.
    """
    counts, everyone = column.leads[:, at], column.leads.sum(axis=1)
    found, total = surprise(counts, span), surprise(everyone, span)
    if found is None or total is None:
        return None
    # Where all values rise, it is no flood of one of them; where others vanish, none either.
    share, usual = found.observed / max(total.observed, 1), found.expected / max(total.expected, 1)
    excess = found.observed - found.expected
    extra = excess >= 0.5 * abs(total.observed - total.expected) and total.observed > total.expected
    return Finding(
        "flood",
        _label(column, at),
        chance_of_share(counts, everyone, span),
        extra
        and found.unprecedented
        and found.observed >= _FEWEST
        and found.ratio >= limits.flood_ratio
        and share >= 1.5 * usual,
        "act" if share >= 0.5 else "attention",
        f"{_label(column, at)}: {found.observed:,.0f} new leads in the last {span} days, where "
        f"{found.expected:,.0f} are usual; {share:.0%} of all new leads instead of {usual:.0%}.",
        (_label(column, at), column.column, NEW_LEADS),
    )


def _label(column: IntakeColumn, at: int) -> str:
    return f"{column.column} = {column.values[at]}"
