"""Made-up labelled snapshots: counts, days, amounts and categories of leads that recur."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadlight.features.catalog import Feature

HORIZON_DAYS = 30
_DAYS = 548  # 18 months
_SNAPSHOTS_PER_LEAD = 8
_LEADS_PER_ACCOUNT = 2
_TELLING = 24  # numbers, and half as many categories, that say something about the outcome
_LEVELS = (3, 8, 25, 400)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    """How many snapshots there are, and of what.

    Attributes
    ----------
    rows, columns : int
        Every eighth column is a category.
    wins : int
        Exactly so many snapshots are won.
    """

    rows: int
    columns: int
    wins: int

    @property
    def features(self) -> tuple[Feature, ...]:
        """The columns, described for the model."""
        return tuple(
            Feature(
                name=_name(at),
                kind="category" if _is_category(at) else "numeric",
                family="fit" if at % 2 else "engagement",
                group=_name(at),
                label=_name(at),
                unit="",
                direction=0,
                statistic="profile",
                subject=_name(at),
            )
            for at in range(self.columns)
        )


def write_snapshots(shape: Shape, path: Path, *, seed: int) -> None:
    """Write a training frame as Parquet.

    A lead's numbers lie around a level of its own, a fifth of the values of every second number
    are missing, and wins fall to the snapshots of the highest log-odds plus noise.
    """
    generator = np.random.default_rng(seed)
    lead = generator.integers(0, max(1, shape.rows // _SNAPSHOTS_PER_LEAD), shape.rows)
    columns: dict[str, object] = {}
    log_odds = np.zeros(shape.rows)
    for at in range(shape.columns):
        if _is_category(at):
            column, effect = _category(at, lead, generator)
        else:
            column, effect = _number(at, lead, generator)
        columns[_name(at)] = column
        if at < _TELLING:
            log_odds += effect
    # The largest of log-odds plus Gumbel noise are a draw without replacement by the odds.
    ranked = np.argsort(-(log_odds + generator.gumbel(size=shape.rows)))
    won = np.zeros(shape.rows, dtype=bool)
    won[ranked[: shape.wins]] = True
    day = generator.integers(0, _DAYS, shape.rows)
    keys = {
        "lead_id": pd.Series(lead).map("lead-{}".format).astype("str"),
        "account_id": pd.Series(lead // _LEADS_PER_ACCOUNT).map("account-{}".format).astype("str"),
        "as_of": pd.Timestamp("2024-01-01", tz="UTC").as_unit("us") + pd.to_timedelta(day, "D"),
        "label": won,
        "position": np.full(shape.rows, np.nan),
        "win_after_days": np.where(won, generator.uniform(0, HORIZON_DAYS, shape.rows), np.nan),
    }
    pd.DataFrame(keys | columns).to_parquet(path, index=False)


def _name(at: int) -> str:
    return f"feature_{at}"


def _is_category(at: int) -> bool:
    return at % 8 == 7


def _number(
    at: int, lead: npt.NDArray[np.int64], generator: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return a count, days or an amount by turns, and what it adds to the log-odds."""
    own = generator.normal(size=int(lead.max()) + 1)[lead]
    latent = 0.7 * own + 0.7 * generator.normal(size=len(lead))
    strength = generator.choice([-0.5, 0.5])
    if at % 3 == 0:
        values = np.floor(np.exp(1.5 * latent))
        effect = strength * np.log1p(values)
    elif at % 3 == 1:
        values = np.round(30.0 * np.exp(latent), 1)
        effect = strength * (values < 20.0)
    else:
        values = np.exp(8.0 + 2.0 * latent)
        effect = strength * np.abs(latent)
    missing = (generator.random(len(lead)) < 0.2) & (at % 2 == 0)
    return np.where(missing, np.nan, values), np.where(missing, 0.0, effect)


def _category(
    at: int, lead: npt.NDArray[np.int64], generator: np.random.Generator
) -> tuple[pd.Categorical, Floats]:
    """Return text of few or many levels, some far more frequent, and what it adds."""
    count = _LEVELS[at // 8 % len(_LEVELS)]
    share = 1.0 / np.arange(1, count + 1)
    own = generator.choice(count, size=int(lead.max()) + 1, p=share / share.sum())
    levels = [f"level {level}" for level in range(count)]
    return pd.Categorical.from_codes(own[lead], levels), generator.normal(0.0, 0.5, count)[
        own[lead]
    ]
