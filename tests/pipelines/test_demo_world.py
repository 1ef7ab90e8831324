"""The demo world: that its truths are true, its traps are there, and its bytes are its own."""

import csv
import gzip
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import log_loss, roc_auc_score

from leadlight.features.errors import ConfigError, WorkspaceError
from leadlight.pipelines.config import load_config
from leadlight.pipelines.demo.journey import (
    COLD,
    EVALUATING,
    TRANSITION,
    deal_length,
    hazard,
    win_probability,
)
from leadlight.pipelines.demo.people import FIT_LEVELS
from leadlight.pipelines.demo.rates import mail_fates
from leadlight.pipelines.demo.rhythm import HORIZON_STEPS, Clock
from leadlight.pipelines.demo.truth import conversion_by_state
from leadlight.pipelines.demo.world import WorldSpec, WorldSummary, generate_world, make_world

SPEC = WorldSpec(leads=6_000, seed=7)
END = datetime(2025, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class Demo:
    summary: WorldSummary

    @property
    def directory(self) -> Path:
        return self.summary.directory

    def rows(self, sql: str) -> list[tuple]:
        """Run SQL in which {name} stands for a file or glob of the world."""
        connection = duckdb.connect()
        connection.execute("SET TimeZone = 'UTC'")

        def file(match: re.Match[str]) -> str:
            return f"'{self.directory / match.group(1)}'"

        found = connection.sql(re.sub(r"\{([^}]+)\}", file, sql)).to_arrow_table()
        return list(zip(*(column.to_pylist() for column in found.columns), strict=True))

    def row(self, sql: str) -> tuple:
        (row,) = self.rows(sql)
        return row


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return Demo(generate_world(SPEC, tmp_path_factory.mktemp("worlds") / "demo"))


def _digests(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def _mature(demo: Demo) -> dict[str, np.ndarray]:
    columns = ("lead_id", "as_of", "probability", "latent_probability", "converted")
    rows = demo.rows(
        f"SELECT {', '.join(columns)} FROM {{truth/snapshots.parquet}} WHERE converted IS NOT NULL"
    )
    return {
        name: np.array(values)
        for name, values in zip(columns, zip(*rows, strict=True), strict=True)
    }


# --- truth -----------------------------------------------------------------------------------


def _sampling_z(probability: np.ndarray, won: np.ndarray, lead: np.ndarray) -> float:
    """Realised minus expected wins in standard errors, clustered by lead."""
    _, codes = np.unique(lead, return_inverse=True)
    excess = np.bincount(codes, weights=won - probability)
    return float(excess.sum() / np.sqrt((excess**2).sum()))


@pytest.mark.parametrize("truth", ["probability", "latent_probability"])
def test_true_probabilities_agree_with_realised_wins(demo: Demo, truth: str) -> None:
    mature = _mature(demo)
    probability, won = mature[truth], mature["converted"].astype(float)
    assert abs(_sampling_z(probability, won, mature["lead_id"])) < 3.3


@pytest.mark.parametrize("truth", ["probability", "latent_probability"])
def test_true_probabilities_agree_with_realised_wins_in_every_tenth(demo: Demo, truth: str) -> None:
    mature = _mature(demo)
    probability, won = mature[truth], mature["converted"].astype(float)
    buys = np.flatnonzero(probability > 0)
    order = buys[np.argsort(probability[buys], kind="stable")]
    scores = [
        _sampling_z(probability[rows], won[rows], mature["lead_id"][rows])
        for rows in np.array_split(order, 10)
    ]
    # Ten looks at chance, each two-sided, together at about one in a thousand.
    assert np.abs(scores).max() < norm.isf(0.001 / 20), scores


def test_true_probabilities_agree_with_realised_wins_in_a_larger_world() -> None:
    # Large enough that hazards wrong by a sixth are beyond chance.
    truth = make_world(WorldSpec(leads=30_000, seed=11)).truth
    assert truth is not None
    mature = truth.converted >= 0
    for probability in (truth.probability, truth.latent_probability):
        z = _sampling_z(probability[mature], truth.converted[mature], truth.lead[mature])
        assert abs(z) < 3.3


def test_true_probabilities_agree_with_realised_wins_in_every_year(demo: Demo) -> None:
    mature = _mature(demo)
    years = np.array([as_of.year for as_of in mature["as_of"]])
    for year in np.unique(years):
        rows = years == year
        z = _sampling_z(
            mature["probability"][rows],
            mature["converted"][rows].astype(float),
            mature["lead_id"][rows],
        )
        assert abs(z) < 3.5, (year, z)


def test_what_can_be_seen_says_less_than_what_is_hidden_and_more_than_the_base_rate(
    demo: Demo,
) -> None:
    mature = _mature(demo)
    won = mature["converted"]
    seen, hidden = (log_loss(won, mature[n]) for n in ("probability", "latent_probability"))
    assert hidden < seen < log_loss(won, np.full(len(won), won.mean()))
    assert demo.summary.best_log_loss == pytest.approx(seen, rel=1e-9)
    assert demo.summary.base_rate == pytest.approx(won.mean())


def test_the_task_is_neither_trivial_nor_hopeless(demo: Demo) -> None:
    mature = _mature(demo)
    assert 0.75 < roc_auc_score(mature["converted"], mature["probability"]) < 0.88
    assert demo.summary.best_auc == pytest.approx(
        roc_auc_score(mature["converted"], mature["probability"])
    )
    assert 0.01 < mature["converted"].mean() < 0.06


def test_the_recursion_agrees_with_ten_thousand_walks_by_hand() -> None:
    clock = Clock(date(2023, 1, 1), 1)
    hazards = hazard(clock.buying_climate(40))
    fit, need, start = FIT_LEVELS - 3, 1, 5
    value = conversion_by_state(hazards, (start,))[0, EVALUATING, fit, need]
    rng = np.random.default_rng(3)
    lengths, win = deal_length(), win_probability()[fit]
    wins, walks = 0, 10_000
    for _ in range(walks):
        step, state, end = start, EVALUATING, start + HORIZON_STEPS
        while step < end:
            if rng.random() < hazards[step, state, fit, need]:
                step += 1 + rng.choice(len(lengths), p=lengths)
                if rng.random() < win:
                    wins += step < end
                    break
                state = COLD
            else:
                state = rng.choice(4, p=TRANSITION[state])
            step += 1
    error = np.sqrt(value * (1 - value) / walks)
    assert wins / walks == pytest.approx(value, abs=3.5 * error)


def test_mails_have_one_fate_each() -> None:
    assert mail_fates().sum(axis=-1) == pytest.approx(1)
    assert (mail_fates() > 0).all()


def test_interest_counts_only_together_with_fit() -> None:
    clock = Clock(date(2023, 1, 1), 1)
    chance = conversion_by_state(hazard(clock.buying_climate(40)), (5,))[0]
    lift_by_fit = chance[EVALUATING, :, 1] / chance[COLD, :, 1]
    assert lift_by_fit[0] < 1.1
    # With full fit the hazard saturates: whoever evaluates will almost surely open a deal.
    assert (lift_by_fit[FIT_LEVELS // 2 :] > 6).all()


def test_at_risk_snapshots_lie_on_the_monthly_grid_that_ends_with_the_export(demo: Demo) -> None:
    days = {
        (END - as_of) / timedelta(days=30)
        for (as_of,) in demo.rows("SELECT DISTINCT as_of FROM {truth/snapshots.parquet}")
    }
    assert days == set(range(len(days)))
    assert len(days) >= 36


def test_only_leads_at_risk_have_a_true_probability(demo: Demo) -> None:
    (wrong,) = demo.row(
        """
        SELECT count(*) FROM {truth/snapshots.parquet} s
        JOIN {deals.csv} d ON d.associatedcontactid::VARCHAR = s.lead_id
        WHERE (d.createdate < s.as_of AND coalesce(d.closedate, 'infinity') >= s.as_of)
           OR (d.dealstage = 'closedwon' AND d.closedate < s.as_of)
           OR (d.dealstage = 'closedlost' AND d.closedate < s.as_of
               AND d.closedate + INTERVAL 90 DAY > s.as_of)
        """
    )
    assert wrong == 0


def test_converted_says_whether_a_win_closed_within_ninety_days(demo: Demo) -> None:
    (wrong,) = demo.row(
        """
        SELECT count(*) FROM {truth/snapshots.parquet} s
        LEFT JOIN (SELECT associatedcontactid::VARCHAR AS lead_id, min(closedate) AS won_at
                   FROM {deals.csv} WHERE dealstage = 'closedwon' GROUP BY 1) d USING (lead_id)
        WHERE converted IS DISTINCT FROM
            CASE WHEN as_of + INTERVAL 90 DAY > TIMESTAMPTZ '2025-12-31'
                 THEN NULL
                 ELSE coalesce(won_at >= as_of AND won_at < as_of + INTERVAL 90 DAY, false) END
        """
    )
    assert wrong == 0


# --- the people and the traps ----------------------------------------------------------------


def test_students_download_everything_and_never_buy(demo: Demo) -> None:
    rows = dict(
        demo.rows(
            """
            SELECT style = 'student', count(*) / count(DISTINCT lead_id)
            FROM {truth/leads.parquet} l JOIN {activities.parquet} a ON a.contact_id = l.lead_id
            WHERE activity = 'download' GROUP BY 1
            """
        )
    )
    assert rows[True] > 1.5 * rows[False]
    assert demo.row(
        """
        SELECT count(*) FROM {truth/leads.parquet} l
        JOIN {deals.csv} d ON d.associatedcontactid::VARCHAR = l.lead_id WHERE style = 'student'
        """
    ) == (0,)
    assert demo.row(
        """
        SELECT max(probability) FROM {truth/snapshots.parquet}
        JOIN {truth/leads.parquet} USING (lead_id) WHERE style = 'student'
        """
    ) == (0.0,)
    assert demo.row(
        """
        SELECT count(*) FROM {feedback.csv} f
        JOIN {truth/leads.parquet} l ON f.contact_id::VARCHAR = l.lead_id
        WHERE accepted AND style = 'student'
        """
    ) == (0,)


def test_students_can_be_told_by_title_and_mostly_by_address(demo: Demo) -> None:
    titled, academic = demo.row(
        """
        SELECT avg((lower(jobtitle) LIKE '%student%')::INT),
               avg(regexp_matches(email, '@.*\\.(edu|ac)\\.example$')::INT)
        FROM {contacts.csv} c JOIN {truth/leads.parquet} l ON c.hs_object_id::VARCHAR = l.lead_id
        WHERE style = 'student' AND jobtitle IS NOT NULL
        """
    )
    # "Undergraduate" and academic staff keep both signs from being perfect.
    assert 0.8 < titled < 1
    assert 0.8 < academic < 0.95


def test_a_good_fit_can_be_silent(demo: Demo) -> None:
    rows = dict(
        demo.rows(
            """
            SELECT style, count(a.occurred_at) / count(DISTINCT lead_id)
            FROM {truth/leads.parquet} l LEFT JOIN {activities.parquet} a ON a.contact_id = lead_id
            WHERE fit >= 8 GROUP BY 1
            """
        )
    )
    assert rows["silent"] < 0.6 * rows["usual"] < 0.6 * rows["loud"]


def test_every_address_is_beyond_delivery(demo: Demo) -> None:
    addresses = [email for (email,) in demo.rows("SELECT email FROM {contacts.csv}")]
    free = [a for a in addresses if a.endswith(("@gmail.com", "@googlemail.com"))]
    assert all("_" in address for address in free)
    assert all(a.endswith(".example") for a in set(addresses) - set(free))
    assert 0.1 < len(free) / len(addresses) < 0.35


def test_a_raised_hand_comes_before_most_wins(demo: Demo) -> None:
    raised, others = (
        demo.row(
            f"""
            SELECT avg(EXISTS (
                SELECT 1 FROM {{activities.parquet}} a WHERE a.contact_id = c.lead_id
                AND activity IN ('demo_request', 'trial_started')
                AND occurred_at < c.at AND occurred_at > c.at - INTERVAL 120 DAY)::INT)
            FROM ({leads}) c
            """
        )[0]
        for leads in (
            "SELECT associatedcontactid::VARCHAR AS lead_id, closedate AS at FROM {deals.csv} "
            "WHERE dealstage = 'closedwon'",
            "SELECT lead_id, as_of AS at FROM {truth/snapshots.parquet} WHERE NOT converted",
        )
    )
    assert raised > 0.5
    assert others < 0.15


def test_some_events_become_known_late_and_none_early(demo: Demo) -> None:
    for file, late in (("activities.parquet", 0.03), ("page_views/*.parquet", 0.004)):
        occurred, recorded = (
            ("occurred_at", "recorded_at") if "act" in file else ("ts", "received_at")
        )
        early, share = demo.row(
            f"""
            SELECT count(*) FILTER ({recorded} < {occurred}),
                   avg(({recorded} > {occurred} + INTERVAL 1 HOUR)::INT) FROM {{{file}}}
            """
        )
        assert early == 0
        assert late < share < 0.25


def test_nothing_is_known_after_the_export(demo: Demo) -> None:
    latest = demo.row(
        """
        SELECT greatest(
            (SELECT max(recorded_at) FROM {activities.parquet}),
            (SELECT max(received_at) FROM {page_views/*.parquet}),
            (SELECT max(created) FROM {email.csv.gz}),
            (SELECT max(closedate) FROM {deals.csv}),
            (SELECT max(createdate) FROM {deals.csv}),
            (SELECT max(createdate) FROM {contacts.csv}),
            (SELECT max(notes_last_contacted) FROM {contacts.csv}),
            (SELECT max(decided_at) FROM {feedback.csv}),
            (SELECT max(linked_at) FROM {identities.csv}))
        """
    )[0]
    assert latest < END


def test_events_of_an_alias_come_before_it_is_linked(demo: Demo) -> None:
    total, after = demo.row(
        """
        SELECT count(*), count(*) FILTER (e.seen_at >= linked_at) FROM {identities.csv} i JOIN (
            SELECT visitor AS alias, ts AS seen_at FROM {page_views/*.parquet}
            UNION ALL SELECT contact_id::VARCHAR, created FROM {email.csv.gz}
            UNION ALL SELECT contact_id, occurred_at FROM {activities.parquet}
        ) e ON e.alias = i.alias::VARCHAR
        """
    )
    assert total > 500
    assert after == 0


def test_history_under_the_contact_id_begins_with_the_form_fill(demo: Demo) -> None:
    for table, who, at in (
        ("page_views/*.parquet", "visitor", "ts"),
        ("activities.parquet", "contact_id", "occurred_at"),
        ("email.csv.gz", "contact_id", "created"),
    ):
        early = demo.row(
            f"""
            SELECT count(*) FROM {{{table}}} e JOIN {{contacts.csv}} c
            ON e.{who}::VARCHAR = c.hs_object_id::VARCHAR WHERE e.{at} < c.createdate
            """
        )
        assert early == (0,), table


def test_the_leak_columns_know_the_outcome(demo: Demo) -> None:
    customers, won, contacted = demo.row(
        """
        WITH wins AS (SELECT associatedcontactid AS id, max(closedate) AS won_at FROM {deals.csv}
                      WHERE dealstage = 'closedwon' GROUP BY 1)
        SELECT avg((lifecyclestage = 'customer')::INT) FILTER (won_at IS NOT NULL),
               avg((won_at IS NOT NULL)::INT) FILTER (hubspotscore >= 90),
               avg((notes_last_contacted >= won_at)::INT) FILTER (won_at IS NOT NULL)
        FROM {contacts.csv} c LEFT JOIN wins ON id = hs_object_id
        """
    )
    assert (customers, won, contacted) == (1.0, 1.0, 1.0)


def test_some_rows_come_twice_and_some_events_are_nobodys(demo: Demo) -> None:
    contacts, distinct = demo.row(
        "SELECT count(*), count(DISTINCT hs_object_id) FROM {contacts.csv}"
    )
    assert distinct == SPEC.leads
    assert 0 < contacts - distinct < 0.01 * contacts
    strangers = demo.row(
        """
        SELECT avg((l.lead_id IS NULL AND alias IS NULL)::INT) FROM {page_views/*.parquet} v
        LEFT JOIN {truth/leads.parquet} l ON l.lead_id = visitor
        LEFT JOIN {identities.csv} i ON i.alias::VARCHAR = visitor
        """
    )[0]
    assert 0.02 < strangers < 0.06


def test_the_base_rate_falls_over_the_years_and_the_year_has_seasons() -> None:
    climate = Clock(date(2023, 1, 1), 3).buying_climate(219).reshape(3, 73)
    assert climate[0].mean() > 1.15 * climate[2].mean()
    august, october = climate[:, 42:48].mean(axis=1), climate[:, 54:62].mean(axis=1)
    assert (october > 1.3 * august).all()


def test_deals_are_won_lost_and_open(demo: Demo) -> None:
    rows = dict(
        demo.rows(
            """
            SELECT CASE WHEN closedate IS NULL THEN 'open' ELSE dealstage END,
                   count(*) FILTER (amount > 0 AND createdate < coalesce(closedate, 'infinity'))
            FROM {deals.csv} GROUP BY 1
            """
        )
    )
    assert set(rows) == {"open", "closedwon", "closedlost"}
    assert sum(rows.values()) == demo.summary.deals
    assert rows["closedwon"] == demo.summary.wins
    assert min(rows.values()) > 20


def test_nobody_gets_mail_after_unsubscribing(demo: Demo) -> None:
    assert demo.row(
        """
        SELECT count(*) FROM {email.csv.gz} e JOIN {activities.parquet} a
        ON e.contact_id::VARCHAR = a.contact_id
        WHERE a.activity = 'unsubscribe' AND e.type = 'email_send' AND e.created > a.occurred_at
        """
    ) == (0,)


# --- files -----------------------------------------------------------------------------------


def test_the_files_are_those_of_a_crm_and_the_configuration_reads_them(demo: Demo) -> None:
    files = set(_digests(demo.directory))
    assert {
        "contacts.csv", "companies.parquet", "email.csv.gz", "activities.parquet", "deals.csv",
        "feedback.csv", "identities.csv", "leadlight.yaml", "truth/snapshots.parquet",
        "truth/leads.parquet", "page_views/2023.parquet", "page_views/2024.parquet",
        "page_views/2025.parquet",
    } == files  # fmt: skip
    text = demo.summary.config.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 40
    assert "$" not in text
    config = load_config(demo.summary.config)
    assert {source.table for source in config.sources_list()} == {
        "leads", "accounts", "events", "outcomes", "feedback", "identities",
    }  # fmt: skip
    assert {"lifecyclestage", "hubspotscore", "notes_last_contacted"} <= set(
        config.features.exclude
    )


def test_the_truth_is_in_no_raw_file(demo: Demo) -> None:
    for table in ("companies.parquet", "activities.parquet", "page_views/2024.parquet"):
        columns = {row[0] for row in demo.rows(f"DESCRIBE SELECT * FROM {{{table}}}")}
        assert columns.isdisjoint({"style", "need", "fit", "probability"})
    with (demo.directory / "contacts.csv").open(encoding="utf-8", newline="") as handle:
        assert set(next(csv.reader(handle))).isdisjoint({"style", "need", "fit", "probability"})


def test_the_same_seed_gives_the_same_bytes_with_any_number_of_threads(tmp_path: Path) -> None:
    spec = WorldSpec(leads=9_000, years=1, seed=3)
    one, four = tmp_path / "one", tmp_path / "four"
    generate_world(spec, one, workers=1)
    generate_world(spec, four, workers=4)
    assert _digests(one) == _digests(four)


def test_another_seed_gives_another_world(tmp_path: Path) -> None:
    worlds = [
        _digests(generate_world(WorldSpec(300, 1, seed=seed), tmp_path / str(seed)).directory)
        for seed in (0, 1)
    ]
    same = {name for name in worlds[0] if worlds[0][name] == worlds[1].get(name)}
    assert same == {"leadlight.yaml"}


def test_the_truth_changes_nothing_in_the_world() -> None:
    spec = WorldSpec(leads=400, years=1)
    plain, true = make_world(spec, with_truth=False), make_world(spec)
    assert plain.truth is None
    assert true.truth is not None
    assert np.array_equal(plain.events.at, true.events.at)
    assert np.array_equal(plain.deals.closed, true.deals.closed)


@pytest.mark.parametrize("leads", [1, 2, 25])
def test_the_smallest_worlds_can_be_written(tmp_path: Path, leads: int) -> None:
    summary = generate_world(WorldSpec(leads=leads, years=1), tmp_path / "small")
    assert summary.leads == leads
    assert load_config(summary.config).project == "demo"


def test_the_default_world_has_about_four_hundred_thousand_events() -> None:
    events = make_world(WorldSpec(), with_truth=False).events
    assert 360_000 < len(events) < 460_000


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(WorkspaceError, match="something already"):
        generate_world(WorldSpec(leads=10, years=1), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_world_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WorkspaceError, match="cannot be written"):
        generate_world(WorldSpec(leads=10, years=1), tmp_path / "file" / "world")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_world_without_leads_is_refused() -> None:
    with pytest.raises(ConfigError, match="needs leads and years"):
        WorldSpec(leads=0)


def test_the_mail_export_carries_no_time_of_its_own(demo: Demo) -> None:
    head = (demo.directory / "email.csv.gz").read_bytes()[:10]
    assert head[4:8] == b"\0\0\0\0"
    with gzip.open(demo.directory / "email.csv.gz", "rt", encoding="utf-8") as handle:
        assert next(csv.reader(handle)) == ["created", "contact_id", "type", "campaign"]


# --- the benchmarks' hand-in -----------------------------------------------------------------


def test_a_benchmark_says_figure_peer_ratio_mark_and_whether_it_is_met(
    tmp_path: Path, project_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(project_root / "benchmarks")
    from results import Result, against, at_least, at_most, write_results  # noqa: PLC0415

    path = write_results(
        "sample",
        [
            against("scan", 2.0, "s", "raw", 1.0),
            at_least("speed", 5.0, "events/s", 10.0),
            at_most("memory", 5.0, "MB", 10.0),
            Result("size", 1.0, "MB"),
        ],
        seed=1,
        out=tmp_path,
    )
    content = json.loads(path.read_text(encoding="utf-8"))
    assert {"machine", "versions", "seed"} <= set(content)
    assert all(
        list(figure) == ["figure", "value", "unit", "peer", "ratio", "mark", "met"]
        for figure in content["results"]
    )
    assert [(r["ratio"], r["met"]) for r in content["results"]] == [
        (2.0, None), (None, False), (None, True), (None, None),
    ]  # fmt: skip
