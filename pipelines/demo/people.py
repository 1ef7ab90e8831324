"""Accounts and leads: who they are, how well they fit, and what nobody can see of them."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from .rhythm import STEP, Clock, Floats, Ints
from .vocabulary import (
    COMPANY_ENDINGS,
    COMPANY_FORMS,
    COMPANY_KINDS,
    COMPANY_SIZES,
    COMPANY_STEMS,
    COUNTRIES,
    FIRST_NAMES,
    FUNCTIONS,
    INDUSTRIES,
    LAST_NAMES,
    LEAD_SOURCES,
    SENIORITIES,
    STUDENT_TITLES,
)

FIT_LEVELS = 13
NEEDS = 2
SILENT, USUAL, LOUD, STUDENT = range(4)
STUDENT_SHARE = 0.10
ACCOUNT_SHARE = 0.72
LONGEST_ANONYMOUS_STEPS = 16

_FIT_OFFSET = -1.1
_NO_COMPANY_POINTS = -0.6
_LOUD_SHARE = 0.22


def _titles() -> tuple[tuple[str, ...], Floats, Floats, Floats]:
    """Every job title with its weight, fit points and share of silent people."""
    texts, weights, points, silent = [], [], [], []
    for function_weight, function_points, names in FUNCTIONS:
        for weight, seniority_points, patterns, silent_share in SENIORITIES:
            for name in names:
                for pattern in patterns:
                    texts.append(pattern.format(name))
                    weights.append(function_weight * weight / len(names) / len(patterns))
                    points.append(function_points + seniority_points)
                    silent.append(silent_share)
    return tuple(texts), np.array(weights), np.array(points), np.array(silent)


TITLES, _TITLE_WEIGHTS, _TITLE_POINTS, _TITLE_SILENT = _titles()
HIGHER_EDUCATION = [name for name, _, _ in INDUSTRIES].index("Higher Education")


@dataclass(frozen=True)
class Accounts:
    """Companies; arrays of one entry each.

    Attributes
    ----------
    name : array of int64
        Number of the company's name among all that the vocabulary can form.
    form, industry, size, country : arrays of int
        Indices into the vocabulary's lists.
    employees : array of int64
    need : array of uint8
        Hidden: whether the company has a need (budget, timing) for the product, 0 or 1.
    """

    name: Ints
    form: Ints
    industry: Ints
    size: Ints
    country: Ints
    employees: Ints
    need: NDArray[np.uint8]


@dataclass(frozen=True)
class Leads:
    """Leads in order of creation; arrays of one entry each.

    Attributes
    ----------
    created : array of int64
        Seconds since the world's beginning.
    created_step, first_step : arrays of int64
        Step of creation, and of the first (perhaps anonymous) interest.
    account : array of int64
        Index of the company, -1 for none.
    title : array of int64
        Index into ``TITLES``; -1 - k for the k-th student title.
    first_name, last_name, country, source : arrays of int
        Indices into the vocabulary's lists.
    fit : array of uint8
        Fit with the ideal customer profile, 0 to ``FIT_LEVELS`` - 1: a function of title, source,
        country and company only, so that a model can learn it.
    need : array of uint8
        Hidden: 0 or 1, shared by the company.
    style : array of uint8
        Hidden: silent, usual, loud; or student.
    silent_share : array of float64
        Chance that a lead of this title is silent.
    """

    created: Ints
    created_step: Ints
    first_step: Ints
    account: Ints
    title: Ints
    first_name: Ints
    last_name: Ints
    country: Ints
    source: Ints
    fit: NDArray[np.uint8]
    need: NDArray[np.uint8]
    style: NDArray[np.uint8]
    silent_share: Floats

    def __len__(self) -> int:
        return len(self.created)

    def between(self, start: int, end: int) -> "Leads":
        """Return the leads from one place in the order of creation to another."""
        return Leads(**{part.name: getattr(self, part.name)[start:end] for part in fields(self)})

    @property
    def student(self) -> NDArray[np.bool_]:
        """Who studies: interested in everything, buys nothing."""
        return np.asarray(self.style == STUDENT)


def weighted(rng: np.random.Generator, weights: Floats, size: int) -> Ints:
    """Draw indices in proportion to the weights."""
    bounds = np.cumsum(weights, dtype=np.float64)
    draw = rng.random(size) * bounds[-1]
    return np.asarray(np.searchsorted(bounds, draw, side="right"), dtype=np.int64)


def _column(table: tuple[tuple[object, ...], ...], index: int) -> Floats:
    return np.array([row[index] for row in table], dtype=np.float64)


def make_accounts(rng: np.random.Generator, leads: int) -> Accounts:
    """Draw the companies that a world of so many leads has, at least one.

    Parameters
    ----------
    rng : numpy.random.Generator
    leads : int
        Number of leads; there are about three for each company, unevenly spread.
    """
    count = max(1, round(0.3 * leads))
    names = len(COMPANY_STEMS) * len(COMPANY_ENDINGS) * len(COMPANY_KINDS)
    size = weighted(rng, _column(COMPANY_SIZES, 2), count)
    low, high = _column(COMPANY_SIZES, 0)[size], _column(COMPANY_SIZES, 1)[size]
    return Accounts(
        # A step coprime to the number of names walks through all of them before one repeats.
        name=(np.arange(count) * 30_011 + rng.integers(names)) % names,
        form=rng.integers(0, len(COMPANY_FORMS), count),
        industry=weighted(rng, _column(INDUSTRIES, 1), count),
        size=size,
        country=weighted(rng, _column(COUNTRIES, 2), count),
        employees=np.exp(np.log(low) + rng.random(count) * np.log((high + 1) / low)).astype(
            np.int64
        ),
        need=rng.integers(0, NEEDS, count, dtype=np.uint8),
    )


def make_leads(rng: np.random.Generator, clock: Clock, accounts: Accounts, count: int) -> Leads:
    """Draw the leads, ordered by creation.

    Parameters
    ----------
    rng : numpy.random.Generator
    clock : Clock
    accounts : Accounts
    count : int
        Number of leads.
    """
    created = np.sort(clock.moments(rng, weighted(rng, clock.lead_inflow(), count)))
    created_step = created // STEP
    student = rng.random(count) < STUDENT_SHARE
    # Squaring the draw makes some companies have many leads and many one.
    account = (rng.random(count) ** 2 * len(accounts.name)).astype(np.int64)
    account[(rng.random(count) >= ACCOUNT_SHARE) | student] = -1
    title = weighted(rng, _TITLE_WEIGHTS, count)
    country = np.where(
        account >= 0, accounts.country[account], weighted(rng, _column(COUNTRIES, 2), count)
    )
    source = weighted(rng, _column(LEAD_SOURCES, 1), count)
    silent_share = _TITLE_SILENT[title]
    style = _styles(rng, silent_share)
    style[student] = STUDENT
    anonymous = np.where(
        rng.random(count) < 0.55, rng.integers(1, LONGEST_ANONYMOUS_STEPS + 1, count), 0
    )
    return Leads(
        created=created,
        created_step=created_step,
        first_step=np.maximum(created_step - anonymous, 0),
        account=account,
        title=np.where(student, -1 - rng.integers(0, len(STUDENT_TITLES), count), title),
        first_name=rng.integers(0, len(FIRST_NAMES), count),
        last_name=rng.integers(0, len(LAST_NAMES), count),
        country=country,
        source=source,
        fit=_fit(accounts, account, title, country, source),
        need=np.where(account >= 0, accounts.need[account], rng.integers(0, NEEDS, count)).astype(
            np.uint8
        ),
        style=style,
        silent_share=silent_share,
    )


def style_shares(silent_share: Floats) -> Floats:
    """Return the shares of silent, usual and loud people, (3, n), given those of the silent."""
    loud = _LOUD_SHARE * (1 - silent_share)
    return np.stack([silent_share, 1 - silent_share - loud, loud])


def _styles(rng: np.random.Generator, silent_share: Floats) -> NDArray[np.uint8]:
    silent, usual, _ = style_shares(silent_share)
    draw = rng.random(len(silent_share))
    return np.asarray((draw >= silent).astype(np.uint8) + (draw >= silent + usual), np.uint8)


def _fit(
    accounts: Accounts, account: Ints, title: Ints, country: Ints, source: Ints
) -> NDArray[np.uint8]:
    company = _column(INDUSTRIES, 2)[accounts.industry] + _column(COMPANY_SIZES, 3)[accounts.size]
    points = (
        _FIT_OFFSET
        + _TITLE_POINTS[title]
        + np.where(account >= 0, company[account], _NO_COMPANY_POINTS)
        + _column(COUNTRIES, 3)[country]
        + _column(LEAD_SOURCES, 2)[source]
    )
    half = (FIT_LEVELS - 1) / 2
    return np.clip(np.rint(points * 2 + half), 0, FIT_LEVELS - 1).astype(np.uint8)


def fit_points() -> Floats:
    """Return the fit points that each fit level stands for, (``FIT_LEVELS``,)."""
    return (np.arange(FIT_LEVELS) - (FIT_LEVELS - 1) / 2) / 2
