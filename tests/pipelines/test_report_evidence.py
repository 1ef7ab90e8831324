"""What the report says of how the model came about: leaks, blend, segments, recency, sales."""

import io
import json

import pytest
import report_samples as samples
from rich.console import Console

from leadlight.pipelines.report.feedback import feedback_summary
from leadlight.pipelines.report.leaks import leaks_summary
from leadlight.pipelines.report.model_choice import (
    blend_sentences,
    candidate_summary,
    ceiling_sentence,
    recency_sentence,
)
from leadlight.pipelines.report.page import to_html
from leadlight.pipelines.report.segments import segments_summary
from leadlight.pipelines.report.summary import summarize, summarize_training
from leadlight.pipelines.terminal import training_summary

OLD = ("metadata", "evaluation", "unseen", "candidates", "windows", "importance", "threshold",
       "door", "notes")  # fmt: skip


def _told(story) -> str:
    file = io.StringIO()
    Console(file=file, width=200).print(training_summary(story, 4))
    return file.getvalue()


def test_a_column_that_knows_the_outcome_is_told_at_the_top_of_the_page_and_of_the_terminal():
    summary = summarize(**samples.everything())
    alarm = (
        "2 columns know the outcome and were left out: leads.won_reason and events.contract_sent."
    )
    assert summary["leaks"]["alarm"] == alarm
    assert not summary["leaks"]["grave"]
    html = to_html(summary)
    assert html.index(alarm) < html.index('class="tiles"')
    assert _told(samples.story()).startswith(f"Leak audit: {alarm}")


def test_one_that_was_kept_is_graver_still():
    kept = [leak | {"excluded": False} for leak in samples.LEAKS[:1]]
    audit = leaks_summary(kept)
    assert audit["grave"]
    assert audit["alarm"].startswith("1 column knows the outcome and was kept")
    assert "better than what will come" in audit["alarm"]
    page = to_html(summarize(**samples.everything() | {"leaks": kept}))
    assert '<p class="note grave">' in page


def test_a_suspect_comes_with_its_evidence_its_gain_and_the_line_that_leaves_it_out():
    page = to_html(summarize(**samples.everything()))
    suspect = page[page.index("<h3>Suspect</h3>") :]
    for said in (
        "leads.lead_status",
        "alone it reaches an AUC of 0.81",
        "In a quick model of the other columns it changes the AUC by +0.047.",
        "features: {exclude: [lead_status]}",
    ):
        assert said in suspect
    assert "1 column is suspect and used: leads.lead_status" in page


def test_suspects_alone_are_no_alarm():
    audit = leaks_summary([samples.LEAKS[2]])
    assert audit["alarm"] is None
    assert audit["certain"] == []
    partly = leaks_summary([samples.LEAKS[2], samples.LEAKS[2] | {"excluded": True}])
    assert partly["sentences"][0].startswith("2 columns are suspect, 1 of them used:")


def test_a_clean_audit_says_so_and_one_that_was_not_kept_is_not_called_clean():
    assert "found none" in leaks_summary([])["sentences"][0]
    summary = summarize(**samples.everything() | {"leaks": None})
    assert summary["leaks"] is None
    assert "No leak audit was kept" in summary["absent"]["leaks"]
    assert "Leak audit" not in _told(samples.story() | {"leaks": []})


def test_the_blend_names_its_members_the_heaviest_first():
    said = blend_sentences(samples.BLEND)
    assert said[0].startswith("The model is a sum of 2 candidates.")
    assert said[1].startswith("Boosted additive model")
    assert said[1].endswith("weight 0.71, 68% of all weight.")
    assert said[2].startswith("Logistic regression")
    alone = blend_sentences([{"name": "logistic", "weight": 0.9}, {"name": "x", "weight": 0.0}])
    assert alone[0].startswith("The model is one candidate alone: Logistic regression")
    assert blend_sentences([]) == []


def test_a_candidate_is_in_the_model_by_its_weight_or_where_there_is_no_blend_by_the_choice():
    logistic, _, pairs = samples.CANDIDATES
    assert candidate_summary(logistic, samples.BLEND)["weight"] == 0.34
    assert not candidate_summary(pairs, samples.BLEND)["chosen"]
    assert candidate_summary(logistic, ())["chosen"]
    assert candidate_summary(logistic, ())["weight"] is None


def test_recency_says_how_fast_old_rows_fade_or_that_they_do_not():
    assert "halves every 180 days" in recency_sentence(samples.RECENCY)
    assert "Chosen among 3" in recency_sentence(samples.RECENCY)
    rows = {"half_life": 1000.0, "unit": "rows", "tried": []}
    assert recency_sentence(rows).endswith("halves every 1,000 rows.")
    level = samples.RECENCY | {"half_life": None}
    assert recency_sentence(level).startswith("Old rows count as much as new ones.")
    assert recency_sentence(None) is None


def test_the_ceiling_is_compared_with_the_model():
    assert ceiling_sentence(samples.CEILING).endswith("against this model's 0.2142.")
    worse = samples.CEILING | {"log_loss": samples.estimate(0.22, 0.01)}
    assert "no better than this model's 0.2142" in ceiling_sentence(worse)
    assert ceiling_sentence(None) is None


def test_a_segment_whose_promise_was_missed_is_named():
    section = segments_summary(samples.SEGMENTS)
    assert [row["value"] for row in section["rows"] if row["missed"]] == ["paid ads"]
    assert "In 1 of 10 segments" in section["sentence"]
    assert "Source paid ads, promised 4.9% and 3.1% came" in section["sentence"]
    kept = segments_summary([row for row in samples.SEGMENTS if row["value"] != "paid ads"])
    assert kept["sentence"].startswith("In each of 9 segments")
    unknown = segments_summary([samples.SEGMENTS[1] | {"low": None, "high": None}])
    assert not unknown["rows"][0]["missed"]


def test_sales_is_heard_with_its_reasons_beside_the_score():
    section = feedback_summary(samples.FEEDBACK)
    assert section["sentences"][0].endswith("76% accepted.")
    assert "point the same way" in section["sentences"][1]
    assert [row["rows"] for row in section["reasons"]] == [204, 124, 121]
    assert section["reasons"][1]["reason"] == "no reason given"
    turned = samples.FEEDBACK | {"mean_probability_rejected": 0.4}
    assert "they disagree" in feedback_summary(turned)["sentences"][1]
    assert section["sentences"][2] == "Of those accepted 35% converted, of those rejected 19%."
    chance = samples.FEEDBACK | {"agreement": samples.estimate(0.52, 0.04)}
    assert "may be chance" in feedback_summary(chance)["sentences"][1]
    unknown = samples.FEEDBACK | {"mean_probability_rejected": None, "by_verdict": None}
    assert len(feedback_summary(unknown)["sentences"]) == 1


def test_a_leak_that_no_line_of_the_configuration_changes_has_none():
    order = samples.LEAKS[0] | {"config": "", "auc_gain": None}
    page = to_html(summarize(**samples.everything() | {"leaks": [order]}))
    section = page[page.index('id="leaks"') : page.index('id="model"')]
    assert "<code>" not in section
    assert "quick model" not in section


def test_a_segment_with_rows_enough_has_error_slope_and_intercept():
    rows = {row["value"]: row for row in segments_summary(samples.SEGMENTS)["rows"]}
    assert rows["paid ads"]["ece"] == pytest.approx(0.022)
    assert rows["paid ads"]["slope"] == 0.97
    assert rows["unknown"]["intercept"] is None


@pytest.mark.parametrize("feedback", [None, samples.FEEDBACK | {"rows": 0}])
def test_where_sales_says_nothing_the_page_says_how_to_let_it_speak(feedback):
    summary = summarize(**samples.everything() | {"feedback": feedback})
    assert "sources.feedback" in summary["absent"]["feedback"]
    assert summary["absent"]["feedback"] in to_html(summary)


def test_the_report_tells_the_story_of_a_version_that_an_older_leadlight_kept():
    old = {key: samples.story()[key] for key in OLD}
    summary = summarize_training(old, version=2)
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert "No leak audit was kept with this version" in to_html(summary)
