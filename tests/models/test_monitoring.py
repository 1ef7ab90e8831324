"""What the monitor's statistics say of streams, columns, distributions and promises."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency
from sklearn.metrics import roc_auc_score

from leadlight.models.agreement_kept import conversion_finding, volume_finding
from leadlight.models.alarms import Finding, Limits, raise_alarms
from leadlight.models.clock_shift import clock_shift
from leadlight.models.drift import Bins, drift, population_stability
from leadlight.models.estimated_performance import estimated_performance, expected_auc
from leadlight.models.event_streams import (
    EarlierLook,
    EventStream,
    door_finding,
    event_streams,
    stream_findings,
)
from leadlight.models.lead_intake import intake_columns, intake_findings
from leadlight.models.promise_kept import promise_kept
from leadlight.models.rhythm import chance_of_share, silent_days, surprise

LAST = date(2025, 6, 26)
DAYS = 64
WEEK = np.array([50, 55, 52, 50, 40, 8, 10])
HOURS = np.array([0] * 7 + [2, 6, 9, 9, 8, 5, 6, 9, 8, 7, 5, 2, 1, 1, 0, 0, 0], dtype=float)
LIMITS = Limits()


def rhythm(seed: int, level: float = 1.0) -> np.ndarray:
    days = np.arange(DAYS) - DAYS + LAST.isoweekday()
    return np.random.default_rng(seed).poisson(level * WEEK[days % 7])


def stream(kind: str, seed: int, level: float = 4.0) -> EventStream:
    events = rhythm(seed, level)
    random = np.random.default_rng([seed, 1])
    by_hour = np.array([random.multinomial(n, HOURS / HOURS.sum()) for n in events])
    return EventStream(kind, LAST, events, np.zeros_like(events), by_hour)


def cut(one: EventStream, days: int) -> EventStream:
    kept = np.arange(DAYS) < DAYS - days
    return EventStream(
        one.kind, LAST, one.events * kept, one.repeats, one.leads_by_hour * kept[:, None]
    )


def named(*streams: EventStream, earlier: EarlierLook | None = None) -> list[tuple[str, str]]:
    alarms = raise_alarms(stream_findings(streams, LIMITS, earlier), LIMITS)
    return [(alarm.kind, alarm.what) for alarm in alarms]


def test_a_sunday_is_held_against_sundays_and_not_against_all_days() -> None:
    counts = np.tile([70, 70, 70, 70, 70, 7, 7], 9)
    found = surprise(counts, 1)
    assert found is not None
    assert (found.observed, found.expected) == (7, 7)
    assert min(found.low, found.high) > 0.05


def test_a_stream_of_less_than_four_weeks_is_not_judged() -> None:
    assert surprise(np.full(28, 10), 1) is None


def test_half_of_the_usual_is_no_surprise_where_days_stray_as_much() -> None:
    steady = surprise(np.append(np.full(56, 100), 50), 1)
    wild = surprise(np.append(np.tile([20, 180], 28), 50), 1)
    assert steady is not None
    assert wild is not None
    assert steady.low < 1e-5
    assert wild.low > 0.01


def test_silence_is_counted_from_the_last_event() -> None:
    assert silent_days([1, 0, 0, 1, 0]) == (1, 2)
    assert silent_days([0, 0]) == (2, 0)


def test_quiet_streams_raise_no_alarm() -> None:
    alarms = [named(stream("a", seed), stream("b", seed + 1000)) for seed in range(60)]
    assert sum(map(bool, alarms)) <= 3


def test_a_dead_tracker_is_named_on_its_first_night() -> None:
    assert named(cut(stream("page_view", 1), 1), stream("download", 2)) == [
        ("silent tracker", "page_view")
    ]


def test_what_stays_where_it_stopped_is_dead_and_what_moves_on_is_late() -> None:
    streams = cut(stream("page_view", 1), 2), stream("download", 2)
    stopped = LAST - timedelta(days=2)
    yesterday = LAST - timedelta(days=1)
    dead = EarlierLook(yesterday, {"page_view": stopped})
    late = EarlierLook(yesterday, {"page_view": stopped - timedelta(days=1)})
    took_back = EarlierLook(yesterday, {"page_view": yesterday})
    assert named(*streams, earlier=dead) == [("silent tracker", "page_view")]
    assert named(*streams, earlier=late) == [("late source", "page_view")]
    assert named(*streams, earlier=took_back) == [("late source", "page_view")]


def test_events_that_are_there_twice_are_a_doubled_import() -> None:
    one = stream("email_open", 3)
    twice = np.where(np.arange(DAYS) == DAYS - 1, 2, 1)
    doubled = EventStream(
        one.kind, LAST, one.events * twice, one.events * (twice - 1), one.leads_by_hour
    )
    assert named(doubled, stream("download", 4)) == [("doubled import", "email_open")]


@pytest.mark.parametrize("hours", [-1, 1, 5])
def test_hours_that_moved_as_a_whole_are_a_shifted_clock(hours: int) -> None:
    one = stream("page_view", 5)
    by_hour = one.leads_by_hour.copy()
    by_hour[-1] = np.roll(by_hour[-1], hours)
    found = clock_shift(by_hour, 1)
    assert found is not None
    assert found.hours == hours
    moved = EventStream(one.kind, LAST, one.events, one.repeats, by_hour)
    assert named(moved, stream("download", 6))[0][0] == "shifted clock"


@pytest.mark.parametrize("leads", [15, 60, 400])
def test_hours_that_have_not_moved_seldom_look_as_if_they_had(leads: int) -> None:
    random = np.random.default_rng(leads)
    hours = random.dirichlet(np.full(24, 0.8))
    chances = [
        found.p_value
        for _ in range(400)
        if (found := clock_shift(random.multinomial(leads, hours, size=57), 1)) is not None
    ]
    assert len(chances) == 400
    for level in (0.1, 0.02):
        assert np.mean(np.array(chances) <= level) <= level


def test_activity_is_laid_out_by_day_and_hour() -> None:
    activity = pd.DataFrame(
        {
            "event_type": ["a", "a", "b"],
            "day": [LAST, LAST - timedelta(days=1), LAST - timedelta(days=99)],
            "hour": [9, 10, 9],
            "events": [3, 2, 7],
            "repeats": [1, 0, 0],
            "leads": [2, 1, 7],
        }
    )
    (one,) = event_streams(activity, LAST, 3)
    assert one.events.tolist() == [0, 2, 3]
    assert one.repeats.tolist() == [0, 0, 1]
    assert one.leads_by_hour[2, 9] == 2
    assert one.newest == LAST


def intake(last: list[str]) -> pd.DataFrame:
    """Thirty new leads a day from three countries, and the given ones on the last day."""
    random = np.random.default_rng(7)
    told = [
        (LAST - timedelta(days=back), country)
        for back in range(1, DAYS)
        for country in random.choice(["DE", "FR", "US"], 30)
    ]
    told += [(LAST, country) for country in last]
    frame = pd.DataFrame(told, columns=["day", "value"])
    counted = frame.groupby(["day", "value"]).size().rename("leads").reset_index()
    return counted.assign(column="country")


def intake_alarms(last: list[str]) -> list[tuple[str, str]]:
    columns = intake_columns(intake(last), LAST, DAYS)
    total = columns[0].leads.sum(axis=1)
    alarms = raise_alarms(intake_findings(columns, total, LIMITS), LIMITS)
    return [(alarm.kind, alarm.what) for alarm in alarms]


def test_a_country_that_floods_in_is_named_and_the_rise_in_leads_follows_from_it() -> None:
    usual = ["DE"] * 10 + ["FR"] * 10 + ["US"] * 10
    assert intake_alarms(usual) == []
    assert intake_alarms(usual + ["BR"] * 60) == [("flood", "country = BR")]
    assert intake_alarms(usual + ["FR"] * 60) == [("flood", "country = FR")]


def test_a_column_with_one_value_for_all_new_leads_is_constant_and_no_flood() -> None:
    assert intake_alarms(["FR"] * 30) == [("constant column", "country")]


def test_population_stability_is_that_of_the_textbook() -> None:
    before, now = np.array([100, 300, 600]), np.array([200, 300, 500])
    p, q = (before + 0.5) / (before + 0.5).sum(), (now + 0.5) / (now + 0.5).sum()
    assert population_stability(before, now) == pytest.approx(((q - p) * np.log(q / p)).sum())


def test_the_chance_of_a_drift_is_that_of_scipys_g_test() -> None:
    before, now = np.array([100, 300, 600]), np.array([130, 290, 580])
    expected = chi2_contingency([before, now], lambda_="log-likelihood", correction=False)
    assert drift(before, now, ["a", "b", "c"]).p_value == pytest.approx(expected.pvalue)


def test_a_difference_as_large_as_between_nights_before_is_no_drift() -> None:
    before, now = [5000, 5000], [5300, 4700]
    alone = drift(before, now, ["low", "high"])
    usual = drift(before, now, ["low", "high"], earlier=[[5290, 4710], [4700, 5300]])
    assert alone.p_value < 1e-4
    assert usual.p_value > 0.1


def test_bins_keep_missing_and_rare_values_apart() -> None:
    numbers = Bins.of(pd.Series([1.0, 2.0, 3.0, 4.0, None]))
    assert numbers.counts(pd.Series([0.5, 99.0, None]))[-1] == 1
    assert numbers.counts(pd.Series([0.5, 99.0, None])).sum() == 3
    words = Bins.of(pd.Series(["DE", "FR", None]))
    assert words.counts(pd.Series(["DE", "XX", None])).tolist() == [1, 0, 1, 1]
    assert Bins.from_dict(words.to_dict()).labels == words.labels
    assert Bins.from_dict(numbers.to_dict()).labels == numbers.labels


def test_estimated_performance_is_what_labels_drawn_from_the_scores_show() -> None:
    random = np.random.default_rng(8)
    chance = random.beta(1, 8, 40_000)
    won = random.random(40_000) < chance
    told = estimated_performance(chance, chance >= 0.3)
    assert told.auc == pytest.approx(roc_auc_score(won, chance), abs=0.01)
    assert told.precision == pytest.approx(won[chance >= 0.3].mean(), abs=0.02)
    assert told.recall == pytest.approx((won & (chance >= 0.3)).sum() / won.sum(), abs=0.02)
    assert expected_auc([0.2, 0.2]) == 0.5


def test_a_base_rate_that_halves_breaks_the_promise_and_calibrated_scores_keep_it() -> None:
    random = np.random.default_rng(9)
    chance = random.beta(1, 20, 8000)
    kept = promise_kept(chance, random.random(8000) < chance)
    broken = promise_kept(chance, random.random(8000) < chance / 2)
    assert kept.p_value > 0.1
    assert broken.p_value < 1e-3
    assert broken.low < broken.ratio < broken.high < 0.8


def test_wins_of_one_account_count_as_one_surprise() -> None:
    chance = np.full(400, 0.05)
    won = np.arange(400) < 45
    alone = promise_kept(chance, won, margin=0.0)
    together = promise_kept(chance, won, np.arange(400) // 45, margin=0.0)
    assert alone.p_value < 1e-3
    assert together.p_value > 0.05


def finding(kind: str, what: str, p_value: float, *subjects: str, matters: bool = True) -> Finding:
    return Finding(kind, what, p_value, matters, "attention", what, subjects or (what,))  # type: ignore[arg-type]


def test_what_follows_from_a_dead_tracker_is_told_as_its_consequence() -> None:
    alarms = raise_alarms(
        [
            finding("feature drift", "views", 1e-9, "page_view_pricing"),
            finding("silent tracker", "page_view", 1e-8),
            finding("score drift", "margin", 1e-9),
        ],
        LIMITS,
    )
    assert [alarm.kind for alarm in alarms] == ["silent tracker"]
    assert set(alarms[0].consequences) == {"views", "margin"}
    assert alarms[0].meaning
    assert alarms[0].to_do


def test_of_many_looks_some_are_unlikely_and_none_is_an_alarm() -> None:
    looks = [finding("volume", str(at), p) for at, p in enumerate(np.linspace(0.001, 1, 500))]
    assert raise_alarms(looks, LIMITS) == ()


def test_what_is_certain_but_small_is_no_alarm() -> None:
    assert raise_alarms([finding("volume", "x", 1e-12, matters=False)], LIMITS) == ()


def test_many_looks_at_features_do_not_drown_the_one_at_conversion() -> None:
    features = [finding("feature drift", str(at), p) for at, p in enumerate(np.linspace(0, 1, 300))]
    conversion = finding("base rate", "conversion", 0.002)
    assert [alarm.kind for alarm in raise_alarms([conversion], LIMITS)] == ["base rate"]
    named = [alarm.kind for alarm in raise_alarms([*features[1:], conversion], LIMITS)]
    assert named == ["base rate"]


def test_quiet_looks_of_all_groups_raise_an_alarm_as_seldom_as_was_allowed() -> None:
    random = np.random.default_rng(10)
    kinds = ["volume"] * 60 + ["flood"] * 40 + ["feature drift"] * 150 + ["base rate"] * 2
    loud = [
        bool(
            raise_alarms(
                [finding(kind, "x", p) for kind, p in zip(kinds, draw, strict=True)], LIMITS
            )
        )
        for draw in random.random((400, len(kinds)))
    ]
    assert 0 < sum(loud) <= 400 * LIMITS.false_alarms + 3 * (400 * LIMITS.false_alarms) ** 0.5


def test_a_busy_day_for_all_is_no_flood_of_one_nor_is_a_share_that_always_strays() -> None:
    random = np.random.default_rng(11)
    whole = np.append(random.poisson(20, 60), 80)
    steady = np.append(random.binomial(whole[:-1], 0.2), 16)
    assert chance_of_share(steady, whole, 1) > 0.2
    flood = np.append(steady[:-1], 50)
    assert chance_of_share(flood, whole, 1) < 1e-8
    wild = np.append(np.where(np.arange(60) % 5, 0, whole[:-1] * 4 // 5), 50)
    assert chance_of_share(wild, whole, 1) > 0.01


def test_a_base_rate_that_halves_is_certain_enough_at_a_hundred_and_forty_promised_wins() -> None:
    chance = np.full(7000, 0.02)
    _, halved = conversion_finding(chance, np.arange(7000) < 70, None, LIMITS)
    _, season = conversion_finding(chance, np.arange(7000) < 110, None, LIMITS)
    assert [alarm.kind for alarm in raise_alarms([halved], LIMITS)] == ["base rate"]
    assert raise_alarms([season], LIMITS) == ()


def test_an_agreed_volume_that_was_hardly_known_is_held_against_no_one() -> None:
    known = volume_finding(107, 4.1, 16.8, 0.0, LIMITS)
    guessed = volume_finding(107, 4.1, 16.8, 3.0, LIMITS)
    assert known.matters
    assert known.p_value < 1e-4
    assert guessed.p_value > 0.01


def test_rows_that_the_door_refuses_show_a_doubled_import_of_one_source_among_others() -> None:
    before = (100_000, 300)
    doubled = door_finding((100_470, 390), before, LIMITS)
    usual = door_finding((100_370, 302), before, LIMITS)
    assert doubled is not None
    assert usual is not None
    assert [alarm.kind for alarm in raise_alarms([doubled], LIMITS)] == ["doubled import"]
    assert raise_alarms([usual], LIMITS) == ()
