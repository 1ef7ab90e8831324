"""The leak audit: each kind of evidence finds its leak, and leaves its honest twin alone."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from door import Door
from leaky_world import (
    DAYS,
    LeakyWorld,
    audited,
    snapshots_of,
    tables_of,
    the,
    times,
    verdicts,
    world,
)

from leadlight.features.engines import DuckDBEngine
from leadlight.features.engines.feature_definition import define_features
from leadlight.features.errors import ConfigError
from leadlight.features.leak import Leak


@pytest.fixture
def leaky(tmp_path: Path) -> LeakyWorld:
    return world(tmp_path)


def some(leaky: LeakyWorld, share: float) -> np.ndarray:
    return leaky.random.random(len(leaky.leads)) < share


def test_an_honest_world_raises_no_finding(leaky: LeakyWorld) -> None:
    leaky.happens("page_view", np.arange(2000), leaky.created + leaky.random.exponential(20, 2000))
    assert leaky.audit().leaks == ()


def test_a_column_filled_in_only_with_deals_is_certain(leaky: LeakyWorld) -> None:
    has_deal = np.isfinite(leaky.closed)
    leaky.leads["paper"] = np.where(has_deal & some(leaky, 0.7), "signed", "")
    leaky.leads["orders"] = np.where(has_deal & some(leaky, 0.7), 3, 0)
    leaky.leads["phone_kind"] = np.where(some(leaky, 0.3), "mobile", "")
    assert verdicts(leaky.audit()) == {"leads.paper": "certain", "leads.orders": "certain"}


def test_a_column_that_all_fill_in_is_honest_where_nearly_all_have_deals(tmp_path: Path) -> None:
    leaky = world(tmp_path)
    none = ~np.isfinite(leaky.closed) & (leaky.random.random(2000) < 0.97)
    leaky.closed[none] = leaky.created[none] + 100
    leaky.leads["topic"] = leaky.random.choice(["x", "y"], 2000)
    assert leaky.audit().leaks == ()


def test_missingness_that_is_the_outcome_is_certain(leaky: LeakyWorld) -> None:
    kept = np.where(leaky.won, some(leaky, 0.02), some(leaky, 0.97))
    leaky.leads["reminder"] = np.where(kept, "weekly", "")
    assert verdicts(leaky.audit()) == {"leads.reminder": "certain"}


def test_dates_at_or_after_the_win_are_certain_whatever_their_unit(leaky: LeakyWorld) -> None:
    end = np.where(leaky.won, leaky.closed + 3, leaky.created + 20)
    start = leaky.created - 5
    leaky.leads["touch"] = times(end)
    leaky.leads["day"] = [each[:10] for each in times(end)]
    epoch = pd.Timestamp("2021-01-01").timestamp()
    leaky.leads["stamp"] = np.rint(epoch + end * 86400).astype(int)
    leaky.leads["stamp_ms"] = np.rint(1000 * (epoch + end * 86400)).astype(int)
    leaky.leads["seen_first"] = times(start)
    leaky.leads["stamp_first"] = np.rint(epoch + start * 86400).astype(int)
    found = verdicts(leaky.audit())
    assert found == dict.fromkeys(
        ["leads.touch", "leads.day", "leads.stamp", "leads.stamp_ms"], "certain"
    )


def test_a_present_value_that_repeats_the_outcome_is_certain(leaky: LeakyWorld) -> None:
    leaky.leads["phase"] = np.where(leaky.won, "green", leaky.random.choice(["red", "blue"], 2000))
    finding = the(leaky.audit(), "leads.phase")
    assert finding.verdict == "certain"
    assert finding.excluded
    assert finding.config == "features: {include: [leads.phase]}"


def test_a_history_that_begins_at_the_close_is_certain(leaky: LeakyWorld) -> None:
    winners = np.flatnonzero(leaky.won)
    for name in ("plan", "hint"):
        leaky.leads[name] = np.where(leaky.won, "gold", "")
    leaky.changes("plan", winners, leaky.closed[winners] + 0.5, "gold")
    leaky.changes("hint", winners, leaky.created[winners] + 0.2, "gold")
    found = leaky.audit()
    assert the(found, "leads.plan").verdict == "certain"
    assert "first gives it a value at or after the close" in the(found, "leads.plan").reason


def test_a_history_that_is_set_whenever_is_honest(leaky: LeakyWorld) -> None:
    everyone = np.arange(2000)
    leaky.leads["panel"] = "b"
    leaky.changes("panel", everyone, leaky.created + leaky.random.uniform(0, 300, 2000), "b")
    assert leaky.audit().leaks == ()


def test_a_bulk_write_is_no_history_and_is_said(leaky: LeakyWorld) -> None:
    everyone = np.arange(2000)
    leaky.leads["panel"] = leaky.random.choice(["a", "b"], 2000)
    leaky.changes("panel", everyone, np.full(2000, DAYS - 1.0), "b")
    found = leaky.audit()
    assert found.leaks == ()
    (note,) = found.notes
    assert note.startswith("leads.panel: 2,000 of 2,000 changes bear the same instant")


def test_ids_given_by_outcome_are_certain(leaky: LeakyWorld) -> None:
    leaky.leads["lead_id"] = np.where(leaky.won, "A", "B") + leaky.leads["lead_id"]
    assert verdicts(leaky.audit()) == {"leads.lead_id": "certain"}


def test_a_kind_of_event_at_the_close_is_certain_and_one_on_the_way_is_not(
    leaky: LeakyWorld,
) -> None:
    closed = np.flatnonzero(np.isfinite(leaky.closed))
    winners = np.flatnonzero(leaky.won)
    leaky.happens("handshake", winners, leaky.closed[winners] - 60 / 86400)
    leaky.happens("parcel", winners, leaky.closed[winners] + 9)
    asked = closed[leaky.random.random(len(closed)) < 0.5]
    way = leaky.random.random(len(asked))
    leaky.happens("question", asked, leaky.created[asked] + way * 4)
    others = np.flatnonzero(some(leaky, 0.1))
    leaky.happens("question", others, leaky.created[others] + 2)
    found = leaky.audit()
    assert verdicts(found) == {"events.handshake": "certain", "events.parcel": "certain"}
    assert set(found.excluded) == {"handshake", "parcel"}


def test_power_far_above_the_rest_is_suspect(leaky: LeakyWorld) -> None:
    flipped = some(leaky, 0.15)
    leaky.leads["tone"] = np.where(leaky.won ^ flipped, "warm", "cold")
    finding = the(leaky.audit(), "leads.tone")
    assert finding.verdict == "suspect"
    assert not finding.excluded
    assert finding.config == "features: {exclude: [leads.tone]}"


def test_a_column_that_only_knows_the_time_is_no_suspect(tmp_path: Path) -> None:
    leaky = world(tmp_path)
    late = leaky.created > 350
    quiet = leaky.won & ~late & (leaky.random.random(2000) < 0.95)
    leaky.won[quiet] = False
    leaky.leads["rate"] = np.rint(leaky.created / 30)
    assert leaky.audit().leaks == ()


def test_a_value_that_only_winners_hold_is_suspect(leaky: LeakyWorld) -> None:
    leaky.leads["colour"] = np.where(leaky.won & some(leaky, 0.2), "gold", "grey")
    finding = the(leaky.audit(), "leads.colour")
    assert finding.verdict == "suspect"
    assert "'gold'" in finding.evidence


def test_a_field_that_grows_known_with_age_is_suspect(tmp_path: Path) -> None:
    leaky = world(tmp_path, leads=6000)
    known = leaky.created < 300
    noise = leaky.random.normal(0, 1, 6000)
    leaky.leads["depth"] = np.rint(40 * (noise + np.where(leaky.won & known, 0.95, 0)))
    finding = the(leaky.audit(), "leads.depth")
    assert finding.verdict == "suspect"
    assert "age of the lead" in finding.reason


@pytest.mark.parametrize("name", ["Lifecycle Stage", "leadScore", "last_modified_date", "status"])
def test_a_name_of_current_state_is_suspect_where_the_column_tells_something(
    leaky: LeakyWorld, name: str
) -> None:
    mild = leaky.random.random(2000) < np.where(leaky.won, 0.7, 0.4)
    leaky.leads[name] = np.where(mild, "x", "y")
    leaky.leads["customer_rating"] = leaky.random.choice(["p", "q"], 2000)
    assert verdicts(leaky.audit()) == {f"leads.{name}": "suspect"}


def test_a_column_filled_in_together_with_a_suspect_is_suspect(leaky: LeakyWorld) -> None:
    judged = some(leaky, 0.5)
    mild = leaky.random.random(2000) < np.where(leaky.won, 0.75, 0.4)
    leaky.leads["lead_score"] = np.where(judged, np.where(mild, "hi", "lo"), "")
    leaky.leads["tier"] = np.where(judged, leaky.random.choice(["1st", "2nd"], 2000), "")
    leaky.leads["tier_of_own"] = np.where(some(leaky, 0.5), "1st", "")
    found = leaky.audit()
    assert verdicts(found) == {"leads.lead_score": "suspect", "leads.tier": "suspect"}
    assert "together with leads.lead_score" in the(found, "leads.tier").reason


def test_a_column_declared_before_raises_no_suspicion(leaky: LeakyWorld) -> None:
    leaky.leads["tone"] = np.where(leaky.won ^ some(leaky, 0.15), "warm", "cold")
    assert leaky.audit(known_when={"tone": "before"}).leaks == ()


def test_a_column_declared_after_is_excluded(leaky: LeakyWorld) -> None:
    found = leaky.audit(known_when={"leads.region": "after"})
    assert verdicts(found) == {"leads.region": "certain"}
    assert found.excluded == ("leads.region",)


def test_a_declaration_of_an_unknown_column_names_the_nearest(leaky: LeakyWorld) -> None:
    with pytest.raises(ConfigError, match=r"known_when.*'regoin'.*Did you mean 'region'"):
        leaky.audit(known_when={"regoin": "after"})


def test_a_certain_leak_that_is_included_is_kept_and_said(leaky: LeakyWorld) -> None:
    leaky.leads["phase"] = np.where(leaky.won, "green", "red")
    found = leaky.audit(include=["phase"])
    finding = the(found, "leads.phase")
    assert finding.verdict == "certain"
    assert not finding.excluded
    assert found.excluded == ()
    assert "It is kept, as features.include says" in finding.sentence


def test_an_excluded_column_is_not_audited(leaky: LeakyWorld) -> None:
    leaky.leads["phase"] = np.where(leaky.won, "green", "red")
    assert leaky.audit(exclude=["leads.phase"]).leaks == ()


def test_in_a_flat_table_nothing_is_certain_but_what_is_declared(tmp_path: Path) -> None:
    door, random = Door(tmp_path), np.random.default_rng(1)
    won = random.random(1500) < 0.3
    table = pd.DataFrame(
        {
            "lead_id": [f"L{number}" for number in random.permutation(1500)],
            "won": np.where(won, "yes", "no"),
            "copy": np.where(won, "p", "q"),
            "only_then": np.where(won, "z", ""),
            "length": random.poisson(4, 1500),
            "kind": random.choice(["u", "v"], 1500),
        }
    )
    table.to_csv(tmp_path / "flat.csv", index=False)
    source = door.source("leads", "flat.csv", won="won = 'yes'", columns={"lead_id": "lead_id"})
    found = audited(door, [source], known_when={"length": "after"})
    assert verdicts(found) == {
        "leads.length": "certain",
        "leads.copy": "suspect",
        "leads.only_then": "suspect",
    }


def test_a_flat_table_sorted_by_the_outcome_is_suspect_and_one_in_time_is_not(
    tmp_path: Path,
) -> None:
    door, random = Door(tmp_path), np.random.default_rng(2)
    drifting = random.random(1000) < np.linspace(0.05, 0.35, 1000)
    for rows, expected in ((np.sort(drifting), {"leads.order": "suspect"}), (drifting, {})):
        ids = [f"L{number}" for number in random.permutation(1000)]
        pd.DataFrame({"lead_id": ids, "won": rows, "kind": random.choice(["u", "v"], 1000)}).to_csv(
            tmp_path / "flat.csv", index=False
        )
        source = door.source("leads", "flat.csv", won="won = 'True'", order_by="row")
        assert verdicts(audited(door, [source])) == expected


@pytest.mark.parametrize(
    "text", ["on", "1st", "a: b", "what, when", "it's", "#x", "Lead Quality", "löwe"]
)
def test_the_config_line_is_yaml_whatever_the_column_is_called(text: str) -> None:
    leak = Leak("leads", text, "suspect", "", "", False, text)
    assert yaml.safe_load(leak.config) == {"features": {"exclude": [text]}}


def test_the_names_that_the_audit_excludes_are_names_that_the_definition_knows(
    leaky: LeakyWorld,
) -> None:
    winners = np.flatnonzero(leaky.won)
    leaky.happens("hand-shake!", winners, leaky.closed[winners] + 2)
    leaky.happens("question", winners, leaky.created[winners] + 0.5)
    others = np.flatnonzero(some(leaky, 0.2))
    leaky.happens("question", others, leaky.created[others] + 0.5)
    leaky.leads["phase"] = np.where(leaky.won, "green", "red")
    found = leaky.audit()
    tables, snapshots = tables_of(leaky.door), snapshots_of(leaky.door)
    with DuckDBEngine() as engine:
        defined = define_features(engine, tables, snapshots, exclude=found.excluded)
        kept = define_features(engine, tables, snapshots, include=found.excluded)
    assert defined.definition.excluded_kinds == ("hand_shake",)
    assert "phase" not in {column.name for column in defined.definition.profile}
    assert "phase" in {column.name for column in kept.definition.profile}
