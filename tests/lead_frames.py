"""Frames of made-up leads for the models' tests."""

import numpy as np
import pandas as pd
import sklearn.ensemble  # noqa: F401  (loads the threads that are limited below)
from threadpoolctl import threadpool_limits

from leadlight.features.catalog import Feature

# As in training: threads wait busily for each other on a shared machine.
threadpool_limits(limits=1)

DAY = pd.Timedelta(days=1)


def feature(name: str, kind: str = "numeric", family: str = "engagement") -> Feature:
    return Feature(name, kind, family, f"profile:{name}", name, "", 0, "profile", name)  # type: ignore[arg-type]


FEATURES = (
    feature("visits"),
    feature("days_since_last"),
    feature("revenue", family="fit"),
    feature("nothing known"),
    feature("always the same"),
    feature("industry", "category", "fit"),
    feature('odd "name", [1] <é>', "category", "fit"),
    feature("one level", "category", "fit"),
    feature("no level", "category", "fit"),
)


def leads(rows: int = 4000, seed: int = 0) -> pd.DataFrame:
    """Flat leads with every kind of column that has broken a model before."""
    generator = np.random.default_rng(seed)
    visits = generator.poisson(3.0, rows).astype(float)
    days = np.where(visits > 0, generator.exponential(30.0, rows), np.nan)
    revenue = np.exp(generator.normal(10.0, 4.0, rows))
    revenue[generator.random(rows) < 0.3] = np.nan
    revenue[:2] = [1e300, -np.inf]
    industries = np.array(["Finance", "Retail", "Software", "Health", None], dtype=object)
    industry = generator.choice(industries, rows, p=[0.3, 0.3, 0.2, 0.1, 0.1])
    industry[:4] = "Beekeeping"
    odd = generator.choice(np.array(["a,b", "'", "東京", ""], dtype=object), rows)
    odds = 0.5 * visits - 0.02 * np.nan_to_num(days, nan=90.0) + 1.0 * (industry == "Finance") - 2.5
    odds += 0.8 * np.isnan(revenue)
    won = generator.random(rows) < 1.0 / (1.0 + np.exp(-odds))
    return pd.DataFrame(
        {
            "lead_id": [f"lead-{at}" for at in range(rows)],
            "account_id": pd.Series([None] * rows, dtype="str"),
            "as_of": pd.Series([pd.NaT] * rows, dtype="datetime64[us, UTC]"),
            "label": won,
            "position": np.full(rows, np.nan),
            "visits": visits.astype("int64"),
            "days_since_last": days,
            "revenue": revenue,
            "nothing known": np.full(rows, np.nan),
            "always the same": np.full(rows, 7.0),
            "industry": pd.Series(industry, dtype="str"),
            'odd "name", [1] <é>': pd.Series(odd, dtype="str"),
            "one level": pd.Series(["same"] * rows, dtype="str"),
            "no level": pd.Series([None] * rows, dtype="str"),
        }
    )


def dated(frame: pd.DataFrame, *, dates: int, every_days: int = 30, seed: int = 0) -> pd.DataFrame:
    """The same rows as snapshots: leads recur, ``dates`` instants ``every_days`` apart."""
    generator = np.random.default_rng(seed)
    start = pd.Timestamp("2023-01-01", tz="UTC").as_unit("us")
    steps = pd.to_timedelta(generator.integers(0, dates, len(frame)) * every_days, unit="D")
    lead = generator.integers(0, len(frame) // 4, len(frame))
    return frame.assign(
        as_of=pd.Series(start + steps).dt.as_unit("us"), lead_id=[f"lead-{at}" for at in lead]
    )
