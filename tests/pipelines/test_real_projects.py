"""The example projects on public data: they run, they do not leak, and they hold their own."""

from pathlib import Path

import pytest
from real_projects import EXAMPLES, RealResult, run_example

# What is known only after the outcome, or is the outcome; none of it may be a feature.
FORBIDDEN = {
    "bpi2012": {"a_approved", "a_registered", "a_activated", "o_accepted"},
    "olist": {
        "seller_id",
        "sdr_id",
        "sr_id",
        "won_date",
        "business_segment",
        "lead_type",
        "lead_behaviour_profile",
        "has_company",
        "has_gtin",
        "average_stock",
        "business_type",
        "declared_product_catalog_size",
        "declared_monthly_revenue",
    },
    "xeducation": {
        "Converted",
        "Tags",
        "Lead Quality",
        "Lead Profile",
        "Last Notable Activity",
        "Last Activity",
        "Asymmetrique Activity Index",
        "Asymmetrique Profile Index",
        "Asymmetrique Activity Score",
        "Asymmetrique Profile Score",
        "Prospect ID",
        "Lead Number",
    },
    "bank": {"y", "duration"},
}

pytestmark = [pytest.mark.real_data, pytest.mark.slow]


# These three take minutes on a busy machine: `make test-long`.
LONG = {"bank", "bpi2012", "xeducation"}
PROJECTS = [
    pytest.param(name, marks=pytest.mark.long) if name in LONG else name for name in EXAMPLES
]


@pytest.fixture(scope="module", params=PROJECTS)
def result(
    request: pytest.FixtureRequest, real_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> RealResult:
    return run_example(request.param, real_data, tmp_path_factory.mktemp(request.param))


def test_an_example_trains_scores_and_reports_with_one_command_each(result: RealResult) -> None:
    assert result.story["version"] == 1
    assert result.scored > 0
    assert result.open_horizons
    page = result.report.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") or page.startswith("<!DOCTYPE html>")


def test_nothing_known_only_after_the_outcome_becomes_a_feature(result: RealResult) -> None:
    used = {name.lower() for name in result.features}
    assert used
    assert used & {name.lower() for name in FORBIDDEN[result.name]} == set()


def test_an_example_ranks_as_well_as_a_plain_gradient_boosted_model(result: RealResult) -> None:
    assert result.auc >= result.peer_auc - 0.02


def test_an_example_is_better_than_chance_on_its_last_window(result: RealResult) -> None:
    assert result.story["evaluation"]["auc"]["low"] > 0.5


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_config_stays_within_forty_lines(project_root: Path, name: str) -> None:
    text = (project_root / "examples" / f"{name}.yaml").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 40
