"""The catalog: one entry for each column, with a name, a family and a label."""

import json

from leadlight.features.catalog import KEYS, feature_catalog
from leadlight.features.definition import FeatureDefinition, ProfileColumn

DEFINITION = FeatureDefinition(
    lookback_days=(7, 30),
    event_kinds=("email_click", "page_view_careers", "page_view_pricing", "strange"),
    profile=(
        ProfileColumn("country", "leads", "country", "category"),
        ProfileColumn("account_country", "accounts", "country", "category"),
        ProfileColumn("employees", "accounts", "employees", "numeric"),
        ProfileColumn("total_visits", "leads", "TotalVisits", "numeric"),
    ),
    engagement=("TotalVisits",),
)


def test_the_catalog_lists_every_feature_of_the_definition_once():
    names = [feature.name for feature in feature_catalog(DEFINITION)]
    activity = 3 + 3 + 3 + 5  # counts, active days; recency, intensity, trend; ends, gap, hours
    pages, funnel, age, profile = 3 + 1, 3, 1, 4
    each_kind = 3 + 3
    expected = activity + pages + funnel + age + profile + 4 * each_kind
    assert len(names) == len(set(names)) == expected
    assert "page_view_pricing_count_7d" in names
    assert "page_view_pricing_count_all" in names
    assert "email_click_days_since_last" in names


def test_names_stay_apart_when_kinds_and_columns_are_called_alike():
    definition = FeatureDefinition(
        lookback_days=(7,),
        event_kinds=("activity",),
        profile=(ProfileColumn("lead_age_days", "leads", "Lead age (days)", "numeric"),),
    )
    names = [feature.name for feature in feature_catalog(definition)]
    assert len(names) == len(set(names))
    assert not set(names) & set(KEYS)
    assert names[-1] == "lead_age_days"


def test_behaviour_is_engagement_and_profile_is_fit_unless_told_otherwise():
    family = {feature.name: feature.family for feature in feature_catalog(DEFINITION)}
    assert family["email_click_count_7d"] == family["active_days_7d"] == "engagement"
    assert family["employees"] == family["country"] == "fit"
    assert family["total_visits"] == "engagement"


def test_near_duplicates_share_a_group():
    group = {feature.name: feature.group for feature in feature_catalog(DEFINITION)}
    assert group["email_click_count_7d"] == group["email_click_days_since_last"]
    assert group["email_click_count_7d"] != group["strange_count_7d"]
    assert group["country"] != group["account_country"]


def test_directions_follow_what_the_field_expects():
    direction = {feature.name: feature.direction for feature in feature_catalog(DEFINITION)}
    assert direction["page_view_pricing_count_7d"] == 1
    assert direction["page_view_pricing_days_since_last"] == -1
    assert direction["page_view_careers_count_7d"] == -1
    assert direction["strange_count_7d"] == 0


def test_labels_are_plain_words():
    label = {feature.name: feature.label for feature in feature_catalog(DEFINITION)}
    assert label["page_view_pricing_count_7d"] == "Visits to the pricing page in the last 7 days"
    assert label["email_click_days_since_last"] == "Days since the last e-mail click"
    assert label["account_country"] == "Company’s country"
    assert label["total_visits"] == "Total visits"


def test_no_events_means_no_features_of_activity():
    catalog = feature_catalog(FeatureDefinition(has_age=False))
    assert catalog == ()


def test_a_definition_survives_json():
    plain = json.loads(json.dumps(DEFINITION.to_dict()))
    assert FeatureDefinition.from_dict(plain) == DEFINITION
