"""A decision version with everything that an export must carry, and leads that try each corner."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
from pipelines_to_compile import fitted_logistic, fitted_trees, lead_encoder
from scipy.special import expit

from leadlight.features.catalog import feature_catalog
from leadlight.features.definition import FeatureDefinition, ProfileColumn
from leadlight.models.average_lead import segment_averages
from leadlight.models.calibration import Calibration
from leadlight.models.compiled import blended, compile_model
from leadlight.models.decision import DecisionVersion
from leadlight.models.policies import Floors, TopSharePolicy
from leadlight.models.reference import Reference
from leadlight.models.threshold import choose_threshold

NOW = datetime(2024, 6, 1, tzinfo=UTC)
DEFINITION = FeatureDefinition(
    lookback_days=(7, 30),
    event_kinds=("content_download", "page_view_pricing"),
    profile=(
        ProfileColumn("seniority", "leads", "seniority", "category"),
        ProfileColumn("source", "leads", "source", "category"),
        ProfileColumn("employees", "accounts", "employees", "numeric"),
        ProfileColumn("never known", "leads", "never known", "numeric"),
    ),
    has_age=False,
)
FEATURES = feature_catalog(DEFINITION)
LEVELS = ("Student", 'Manager\'s "aide"', "50% \\ {vice}\npresident", "東京", "")


def leads_of_a_world(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({feature.name: np.zeros(rows) for feature in FEATURES})
    for feature in FEATURES:
        frame[feature.name] = (
            rng.choice(["page_view_pricing", "content_download"], rows)
            if feature.kind == "category"
            else rng.integers(0, 4, rows).astype(float)
            if feature.statistic == "funnel_depth"
            else np.where(rng.random(rows) < 0.1, np.nan, rng.poisson(3.0, rows))
        )
    seniority = rng.choice([*LEVELS, None], rows)
    rare = rng.random(rows) < 0.0005
    frame["seniority"] = np.where(rare, "Beekeeper", seniority)
    frame["source"] = rng.choice(["webinar", "ad"], rows)
    frame["employees"] = np.where(rng.random(rows) < 0.3, np.nan, rng.lognormal(4, 2, rows))
    frame["never known"] = np.nan
    frame = frame.assign(
        lead_id=[f"lead {seed}.{at}" for at in range(rows)], account_id=None, as_of=NOW
    )
    wish = np.log1p(frame["page_view_pricing_count_30d"].fillna(0.0))
    chance = expit(-4.0 + wish + 2.0 * wish * (frame["seniority"] == "Student"))
    return frame.assign(label=rng.random(rows) < chance)


def odd_leads() -> pd.DataFrame:
    """Leads on and beside each cut, beyond all numbers seen, with new levels and none."""
    leads = leads_of_a_world(1000, seed=1)
    numbers = [each.name for each in FEATURES if each.kind == "numeric"]
    leads.loc[0, numbers] = np.nan
    leads.loc[1, numbers] = -1e12
    leads.loc[2, numbers] = 1e12
    leads.loc[4, "seniority"] = "Lighthouse keeper"
    leads.loc[5, [each.name for each in FEATURES if each.kind == "category"]] = None
    leads.loc[6, numbers] = 0.5
    leads.loc[7, numbers] = -0.0
    cuts = np.linspace(0.5, 12.5, 25)
    beside = np.concatenate([cuts, np.nextafter(cuts, 0.0), np.nextafter(cuts, 99.0)])
    leads.loc[10 : 9 + len(beside), "page_view_pricing_count_30d"] = beside
    return leads


def exported_decision() -> DecisionVersion:
    """A blend of lines and of trees with pairs, bent in calibration, compared within sources."""
    frame = leads_of_a_world(6000, seed=0)
    encoder = lead_encoder(FEATURES, frame)
    pairs = [
        ("page_view_pricing_count_30d", "seniority"),
        ("employees", "content_download_count_7d"),
    ]
    members = [
        fitted_logistic(FEATURES, frame, encoder),
        fitted_trees(FEATURES, frame, pairs, encoder=encoder, max_iter=30),
    ]
    compiled = blended([compile_model(each, FEATURES) for each in members], [0.4, 0.6])
    parts = compiled.contributions(frame)
    margin = compiled.total(parts)
    at = np.quantile(margin, [0.02, 0.3, 0.6, 0.9, 0.98])
    knots = tuple((float(x), float(x + 0.3 * np.sin(x))) for x in at)
    calibration = Calibration(0.9, -0.1, knots)
    segments = segment_averages(frame, parts, FEATURES, "source")
    reference = Reference.of(margin, parts, FEATURES, segments)
    held_out = frame[["lead_id", "account_id", "as_of", "label"]].assign(
        probability=calibration.probability(margin),
        fit_percentile=reference.family_percentile(parts, FEATURES, "fit"),
        engagement_percentile=reference.family_percentile(parts, FEATURES, "engagement"),
    )
    floors = Floors(fit=0.2, engagement=0.3)
    return DecisionVersion(
        compiled=compiled,
        calibration=calibration,
        reference=reference,
        threshold=choose_threshold(TopSharePolicy(0.2), held_out, floors, seed=0),
        floors=floors,
        definition=DEFINITION,
        metadata={"project": "acme", "horizon_days": 90},
    )
