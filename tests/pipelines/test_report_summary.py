"""The report's numbers and sentences, without the page."""

import json
import math

import pandas as pd
import pytest
import report_samples as samples
from hypothesis import given
from hypothesis import strategies as st

from leadlight.pipelines.report.formats import day, percent, plain
from leadlight.pipelines.report.lead_scores import PROBABILITY_EDGES
from leadlight.pipelines.report.summary import summarize


def test_the_summary_is_plain_json_without_nan():
    arguments = samples.everything()
    arguments["evaluation"]["auc"] = {"value": math.nan, "low": None, "high": math.inf}
    arguments["scores"].loc[0, "fit_percentile"] = math.nan
    summary = summarize(**arguments)
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_the_verdict_says_lift_promise_and_what_mqls_are_worth():
    assert summarize(**samples.everything())["verdict"] == [
        "The best tenth of leads converts 4.5 times as often as the average.",
        "When leadlight says 15%, about 15% convert.",
        "Of 100 MQLs about 32 convert within 90 days; MQLs are 18% of the leads and hold 48% of "
        "all conversions.",
    ]


def test_a_lift_that_could_be_luck_is_called_that():
    arguments = samples.everything()
    arguments["evaluation"]["lift_at_10"] = {"value": 1.4, "low": 0.8, "high": 2.1}
    assert "could still be luck" in summarize(**arguments)["verdict"][0]


@pytest.mark.parametrize(("observed", "word"), [(0.09, "too hopeful"), (0.25, "too cautious")])
def test_a_promise_outside_its_interval_is_called_hopeful_or_cautious(observed, word):
    arguments = samples.everything()
    arguments["evaluation"]["reliability"] = [
        {"predicted": 0.15, "observed": observed, "low": observed - 0.01, "high": observed + 0.01,
         "rows": 900}
    ]  # fmt: skip
    assert word in summarize(**arguments)["verdict"][1]


def test_a_calibration_error_within_noise_is_not_called_an_error():
    arguments = samples.everything()
    assert "no error can be told from noise" in summarize(**arguments)["reliability"]["sentence"]
    arguments["evaluation"]["ece"] = samples.estimate(0.04, 0.01)
    said = summarize(**arguments)["reliability"]["sentence"]
    assert "off by 4.0 percentage points, more than the 0.6" in said


def test_the_mql_definition_names_threshold_policy_and_floors():
    said = " ".join(summarize(**samples.everything())["mql"]["sentences"])
    assert "within 90 days is 23% or more" in said
    assert "no more than 200 new MQLs a week" in said
    assert "fit must not be among the lowest 20%" in said
    no_floor = samples.everything() | {"floors": {"fit": 0.0, "engagement": 0.1}}
    said = " ".join(summarize(**no_floor)["mql"]["sentences"])
    assert "engagement must not be among the lowest 10%" in said
    assert "fit must" not in said


def test_the_hottest_leads_come_by_probability_and_ties_by_id():
    arguments = samples.everything()
    frame = arguments["scores"].copy()
    frame.loc[:2, "probability"] = 0.8
    frame.loc[:2, "percentile"] = 0.99
    frame.loc[:2, "lead_id"] = ["c", "a", "b"]
    shuffled = frame.sample(frac=1.0, random_state=3)
    hottest = summarize(**arguments | {"scores": shuffled, "leads_shown": 4})["scores"]["hottest"]
    assert [lead["lead_id"] for lead in hottest[:3]] == ["a", "b", "c"]
    assert [lead["rank"] for lead in hottest] == [1, 2, 3, 4]


def test_a_hot_lead_that_is_no_mql_says_why_not():
    hottest = summarize(**samples.everything())["scores"]["hottest"]
    assert hottest[0]["why_not"] is None
    assert hottest[1]["why_not"] == "Below the floor for fit"
    low = samples.everything()
    low["scores"] = low["scores"].tail(3)
    assert summarize(**low)["scores"]["hottest"][0]["why_not"] == "Below the threshold"


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=40))
def test_every_lead_lies_in_exactly_one_range_of_probability(probabilities):
    frame = samples.scores(len(probabilities))
    frame["probability"] = probabilities
    frame["mql"] = [index % 2 == 0 for index in range(len(probabilities))]
    summary = summarize(metadata=samples.METADATA, evaluation=samples.evaluation(), scores=frame)
    rows = summary["scores"]["distribution"]
    assert sum(row["mqls"] + row["others"] for row in rows) == len(probabilities)
    assert sum(row["mqls"] for row in rows) == frame["mql"].sum()
    for row in rows:
        top = row["high"] == PROBABILITY_EDGES[-1]
        inside = [p for p in probabilities if row["low"] <= p < row["high"] or (top and p == 1.0)]
        assert row["mqls"] + row["others"] == len(inside)


def test_grades_count_every_lead_once():
    summary = summarize(**samples.everything())
    assert sum(row["leads"] for row in summary["scores"]["grades"]) == 4000
    assert [row["leads"] for row in summary["scores"]["grades"]] == [400, 800, 1200, 1600]


def test_the_reasons_sum_to_the_whole():
    reasons = summarize(**samples.everything())["reasons"]
    assert sum(row["share"] for row in reasons["shown"]) + reasons["others_share"] == pytest.approx(
        1.0
    )
    assert len(reasons["shown"]) + reasons["others"] == len(samples.IMPORTANCE)
    assert reasons["sentence"].startswith("38% of what moves the score is fit")


def test_only_engagement_features_are_named_as_such():
    only = [part for part in samples.IMPORTANCE if part["family"] == "engagement"]
    sentence = summarize(**samples.everything() | {"importance": only})["reasons"]["sentence"]
    assert sentence == "What moves the score is engagement: the data says nothing about fit."


def test_a_figure_of_no_knowledge_stands_beside_each_score():
    by_key = {m["key"]: m["explanation"] for m in summarize(**samples.everything())["metrics"]}
    assert "gives 0.263" in by_key["log_loss"]
    assert "gives 0.068" in by_key["brier"]
    assert "gives 0.074" in by_key["average_precision"]
    assert "0.6 by chance" in by_key["ece"]


def test_only_broken_rules_are_listed_and_the_clean_are_counted():
    door = summarize(**samples.everything())["door"]
    assert [rule["table"] for rule in door["rules"]] == ["leads", "events", "outcomes"]
    assert door["rules"][2]["meaning"] == "A time later than now"
    assert door["rules_clean"] == 1
    assert [rule["passed"] for rule in door["rules"]] == [True, True, False]


def test_a_flat_table_has_no_horizon_and_no_weeks_and_says_so():
    summary = summarize(**samples.flat())
    assert "no dates" in summary["predicts"]
    assert "within" not in " ".join(summary["verdict"] + summary["mql"]["sentences"])
    assert summary["mql"]["per_week"]["value"] is None
    assert any("no dates" in note for note in summary["mql"]["notes"])
    assert "leadlight score" in summary["absent"]["scores"]


def test_each_absent_part_is_explained_and_each_present_part_is_not():
    bare = samples.evaluation() | {"reliability": [], "lift_curve": []}
    summary = summarize(metadata=samples.METADATA, evaluation=bare)
    assert set(summary["absent"]) == {
        "mql", "scores", "reasons", "reliability", "segments", "lift", "feedback", "leaks",
        "candidates", "windows", "door",
    }  # fmt: skip
    assert summarize(**samples.everything())["absent"] == {}


def test_no_open_lead_is_not_the_same_as_no_scores():
    summary = summarize(**samples.everything() | {"scores": samples.scores().head(0)})
    assert summary["scores"]["leads"] == 0
    assert summary["absent"] == {"hottest": "There was no open lead to score."}


def test_a_note_of_the_threshold_is_said_once():
    arguments = samples.flat()
    notes = [*arguments["threshold"]["notes"], "Another."]
    assert summarize(**arguments | {"notes": notes})["notes"] == ["Another."]


def test_leads_never_seen_get_a_sentence_of_their_own():
    unseen = samples.evaluation() | {"rows": 812, "auc": samples.estimate(0.8, 0.02)}
    summary = summarize(**samples.everything() | {"unseen": unseen})
    assert "812 rows of leads that training had never seen, AUC is 0.800" in summary["unseen"]
    assert summarize(**samples.everything())["unseen"] is None


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0%"), (1.0, "100%"), (0.23456, "23%"), (0.0519, "5.2%"), (0.05, "5%"),
        (0.00312, "0.31%"), (0.00001, "<0.01%"), (0.994, "99.4%"), (0.99999, ">99.9%"),
        (None, "–"),
    ],
)  # fmt: skip
def test_percentages_keep_the_digits_that_carry_meaning(share, text):
    assert percent(share) == text


def test_days_are_utc():
    assert day("2026-03-01T23:30:00-02:00") == "2 March 2026"
    assert day(pd.Timestamp("2026-03-01T23:30:00Z")) == "1 March 2026"
    assert day(None) is None
    assert day(pd.NaT) is None


@given(st.text(max_size=300), st.integers(2, 60))
def test_foreign_text_becomes_one_short_line_that_any_encoding_holds(text, longest):
    line = plain(text, longest)
    assert len(line) <= longest
    assert line == " ".join(line.split())
    line.encode("utf-8")


def test_foreign_text_is_cut_with_an_ellipsis_and_not_inside_an_emoji():
    assert plain("a" * 10_000, 10) == "aaaaaaaaa…"
    assert plain("ab👩\u200d👩", 5) == "ab👩\u200d👩"
    assert plain("ab👩\u200d👩cd", 5) == "ab👩…"
    assert plain("bell \x07 null \x00 lone \ud800 end") == "bell null lone end"


def test_the_grid_says_what_clicks_without_fit_and_fit_without_clicks_are_worth() -> None:
    mql = summarize(**samples.everything())["mql"]
    assert mql is not None
    assert mql["grid"] is not None
    assert [row[0]["fit"] for row in mql["grid"]["rows"]] == ["A", "B", "C", "D"]
    assert mql["grid"]["levels"] == ["1", "2", "3", "4"]
    assert mql["grid"]["rows"][0][0]["tint"] == 1.0
    assert "without fit (D1) 10%" in mql["grid"]["sentence"]
    assert "in silence (A4) 10%" in mql["grid"]["sentence"]
    without = summarize(**samples.everything() | {"grid": []})["mql"]
    assert without is not None
    assert without["grid"] is None


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"policy": "precision", "precision": 0.3, "confidence": 0.9}, "at least 30% of MQLs"),
        ({"policy": "recall", "recall": 0.6}, "keeps 60% of the conversions"),
        ({"policy": "profit", "touch_cost": 40, "win_value": 900}, "a touch costs 40"),
        ({"policy": "probability", "probability": 0.2}, "fixed choice"),
        (
            {"policy": "capacity", "by": "owner", "leads_per_week": {"east": 5, "other": 3}},
            "New MQLs a week by owner: east 5, other 3",
        ),
    ],
)
def test_each_policy_is_put_in_words(policy: dict[str, object], said: str) -> None:
    choice = samples.threshold() | {"policy": policy}
    mql = summarize(**samples.everything() | {"threshold": choice})["mql"]
    assert mql is not None
    assert said in " ".join(mql["sentences"])
