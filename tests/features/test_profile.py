"""What describes leads and accounts: which columns become features, and with which values."""

import math
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from oracle import DAY, START, Event, Lead, World, write_snapshots, write_tables

from leadlight.features.definition import DefinedFeatures, FeatureDefinition, ProfileColumn
from leadlight.features.engines import DuckDBEngine
from leadlight.features.engines.feature_definition import define_features
from leadlight.features.engines.feature_table import compute_features
from leadlight.features.errors import ConfigError, SchemaMismatchError
from leadlight.features.tables import CanonicalTables
from leadlight.features.taxonomy import PageRule

LEADS = 60
AS_OF = START + 30 * DAY


@pytest.fixture(scope="module")
def engine():
    with DuckDBEngine(threads=1) as engine:
        yield engine


@dataclass(frozen=True)
class Project:
    tables: CanonicalTables
    snapshots: Path


def project(directory: Path, **more: dict[str, list[object]]) -> Project:
    """Sixty leads of three accounts, each with page views; a few with a rare kind of event."""
    leads = [Lead(f"L{n:02d}", START + n, f"A{n % 3}") for n in range(LEADS)]
    events = [Event(START + DAY, "page_view", lead.lead_id, detail="/pricing") for lead in leads]
    events += [Event(START + DAY, "O_SENT_BACK", lead.lead_id) for lead in leads[:25]]
    events += [Event(START + DAY, "rare", lead.lead_id) for lead in leads[:19]]
    # Plenty of these, but none that a snapshot sees.
    events += [Event(AS_OF, "too_late", lead.lead_id) for lead in leads]
    world = World(leads, events, snapshots=[(lead.lead_id, AS_OF) for lead in leads])
    tables = write_tables(world, directory, **more)
    return Project(tables, write_snapshots(world, directory / "snapshots.parquet"))


def define(engine: DuckDBEngine, found: Project, **settings: object) -> DefinedFeatures:
    return define_features(engine, found.tables, found.snapshots, **settings)


def note(defined: DefinedFeatures, column: str) -> str:
    return next((text for text in defined.notes if text.startswith(f"{column} ")), "")


def names(defined: DefinedFeatures) -> list[str]:
    return [column.name for column in defined.definition.profile]


def accounts(**more: list[object]) -> dict[str, list[object]]:
    return {"account_id": ["A0", "A1", "A2"], **more}


def test_columns_that_describe_become_features(engine, tmp_path):
    found = project(
        tmp_path,
        leads={
            "source": ["web", "ads", "web"] * 20,
            "TotalVisits": [float(n % 7) for n in range(LEADS)],
            "country": ["DE", "FR"] * 30,
        },
        accounts=accounts(employees=[10.0, 20.0, 30.0], country=["DE", "FR", None]),
    )
    assert define(engine, found).definition.profile == (
        ProfileColumn("source", "leads", "source", "category"),
        ProfileColumn("total_visits", "leads", "TotalVisits", "numeric"),
        ProfileColumn("country", "leads", "country", "category", "country"),
        ProfileColumn("employees", "accounts", "employees", "numeric", "employees"),
        ProfileColumn("account_country", "accounts", "country", "category", "country"),
        ProfileColumn("account_region", "accounts", "country", "category", "region"),
    )


@pytest.mark.parametrize(
    ("column", "values", "reason"),
    [
        ("prospect_code", [f"x{n}" for n in range(LEADS)], "own value"),
        ("Lead Number", [float(1000 + 37 * n) for n in range(LEADS)], "ids"),
        ("rank", [float(n) for n in range(LEADS)], "ids"),
        ("other_mail", [f"x{n % 9}@acme.example" for n in range(LEADS)], "e-mail addresses"),
        ("website", [f"https://x{n % 9}.example" for n in range(LEADS)], "web addresses"),
        ("last_touch", [f"2024-01-{n % 9 + 10}" for n in range(LEADS)], "dates"),
        ("signed_on", pa.array([START] * LEADS, pa.timestamp("us", "UTC")), "dates"),
        ("same", ["x"] * LEADS, "same value"),
        ("always", [1.0] * LEADS, "same value"),
        ("nothing", pa.nulls(LEADS, pa.string()), "empty"),
        ("First Name", ["Ann", "Bob"] * 30, "identifies"),
        ("phone", ["1", "2"] * 30, "identifies"),
        ("owner", ["Ann", "Bob"] * 30, "sales assigns"),
    ],
)
def test_columns_that_do_not_describe_are_left_out_with_a_note(
    engine, tmp_path, column, values, reason
):
    found = project(tmp_path, leads={column: values})
    defined = define(engine, found)
    assert names(defined) == []
    assert reason in note(defined, f"leads.{column}")
    forced = define(engine, found, include=[column])
    assert len(names(forced)) == 1


def test_a_column_with_gaps_in_one_value_is_kept_because_gaps_say_something(engine, tmp_path):
    found = project(tmp_path, leads={"asked_for_call": ["yes", None] * 30})
    assert names(define(engine, found)) == ["asked_for_call"]


def test_numbers_that_are_all_different_but_no_ids_are_kept(engine, tmp_path):
    found = project(tmp_path, leads={"minutes": [1.5 * n for n in range(LEADS)]})
    assert names(define(engine, found)) == ["minutes"]


def test_a_title_and_an_address_are_read(engine, tmp_path):
    titles = [f"{level} of thing {n}" for n in range(20) for level in ("VP", "Head", "Intern")]
    mails = [f"x{n}@{('gmail.com', 'acme.example')[n % 2]}" for n in range(LEADS)]
    found = project(tmp_path, leads={"job_title": titles, "email": mails})
    defined = define(engine, found)
    assert names(defined) == ["seniority", "email_kind"]
    assert "own value" in note(defined, "leads.job_title")
    assert "nothing can be read" in note(defined, "leads.job_title (job_function)")

    compute_features(
        engine, found.tables, found.snapshots, defined.definition, tmp_path / "features"
    )
    table = pq.read_table(tmp_path / "features").sort_by("lead_id")
    assert table["seniority"].to_pylist()[:3] == ["vice president", "director", "student"]
    assert table["email_kind"].to_pylist()[:2] == ["free", "company"]


def test_kinds_need_enough_leads_in_the_past_of_their_snapshots(engine, tmp_path):
    defined = define(engine, project(tmp_path))
    assert defined.definition.event_kinds == ("o_sent_back", "page_view_pricing")
    assert any("totals only" in text and "rare" in text for text in defined.notes)


def test_excluded_columns_kinds_and_features_are_gone(engine, tmp_path):
    found = project(tmp_path, leads={"Lead Quality": ["a", "b"] * 30, "emp.rate": [1.0, 2.0] * 30})
    before = define(engine, found).definition
    assert before.has_age
    excluded = ["Lead Quality", "O_SENT_BACK", "lead_age_days", "leads.emp.rate"]
    after = define(engine, found, exclude=excluded).definition
    assert len(before.profile) == 2
    assert after.profile == ()
    assert after.excluded_kinds == ("o_sent_back",)
    assert after.event_kinds == ("page_view_pricing",)
    assert not after.has_age


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"exclude": ["Lead Qualty"]}, "exclude: .* 'Lead Qualty'. Did you mean 'Lead Quality'?"),
        ({"exclude": ["O_SENTBACK"]}, "(?i)Did you mean .O_SENT_BACK."),
        ({"include": ["nonsense"]}, "include: nothing in the data is called 'nonsense'"),
        ({"engagement": ["Lead Qualty"]}, "engagement: .* Did you mean 'Lead Quality'?"),
        ({"include": ["Lead Quality"], "exclude": ["Lead Quality"]}, "both included and excluded"),
        ({"lookback_days": [0, 7]}, "below one day"),
        ({"page_rules": [PageRule("x", "(")]}, "not a regular expression"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(engine, tmp_path, settings, message):
    found = project(tmp_path, leads={"Lead Quality": ["a", "b"] * 30})
    with pytest.raises(ConfigError, match=message):
        define(engine, found, **settings)


def test_engagement_names_the_source_column(engine, tmp_path):
    found = project(tmp_path, leads={"emp.rate": [1.0, 2.0] * 30})
    defined = define(engine, found, engagement=["emp.rate"])
    assert defined.definition.engagement == ("emp.rate",)


def test_age_is_no_feature_where_all_snapshots_have_the_same(engine, tmp_path):
    leads = [Lead(f"L{n}", START + n * DAY) for n in range(3)]
    world = World(leads, snapshots=[(lead.lead_id, lead.created_at + DAY) for lead in leads])
    tables = write_tables(world, tmp_path)
    snapshots = write_snapshots(world, tmp_path / "s.parquet")
    assert not define_features(engine, tables, snapshots).definition.has_age


def test_missing_values_are_nan_for_numbers_and_null_for_categories(engine, tmp_path):
    found = project(
        tmp_path,
        leads={"source": ["web", " ", None] * 20},
        accounts={"account_id": ["A0", "A1"], "employees": [10.0, None]},
    )
    profile = (
        ProfileColumn("source", "leads", "source", "category"),
        ProfileColumn("employees", "accounts", "employees", "numeric"),
    )
    definition = FeatureDefinition(profile=profile, has_age=False)
    compute_features(engine, found.tables, found.snapshots, definition, tmp_path / "features")
    table = pq.read_table(tmp_path / "features").sort_by("lead_id").slice(0, 3)
    assert table["source"].to_pylist() == ["web", None, None]
    employees = table["employees"].to_pylist()
    assert employees[0] == 10.0
    assert math.isnan(employees[1])
    assert math.isnan(employees[2])


SOURCE = FeatureDefinition(profile=(ProfileColumn("source", "leads", "source", "category"),))
VISITS = FeatureDefinition(profile=(ProfileColumn("visits", "leads", "visits", "numeric"),))


@pytest.mark.parametrize(
    ("definition", "columns", "message"),
    [
        (SOURCE, {"sources": ["a"] * LEADS}, "'source' is missing.* Did you mean 'sources'?"),
        (SOURCE, {"source": [1.0] * LEADS}, "held text .* now holds numbers"),
        (VISITS, {"visits": ["many"] * LEADS}, "held numbers .* now holds text.*'many'"),
    ],
)
def test_a_column_that_is_gone_or_of_another_type_is_named(
    engine, tmp_path, definition, columns, message
):
    found = project(tmp_path, leads=columns)
    with pytest.raises(SchemaMismatchError, match=message):
        compute_features(engine, found.tables, found.snapshots, definition, tmp_path / "features")
    assert not list(tmp_path.glob("*features*"))


def test_a_column_that_is_empty_tonight_is_missing_and_no_error(engine, tmp_path):
    found = project(tmp_path, leads={"visits": pa.nulls(LEADS, pa.string())})
    compute_features(engine, found.tables, found.snapshots, VISITS, tmp_path / "features")
    values = pq.read_table(tmp_path / "features")["visits"].to_pylist()
    assert all(math.isnan(value) for value in values)


def test_an_interrupted_run_leaves_the_last_output_as_it_was(engine, tmp_path, monkeypatch):
    found = project(tmp_path, leads={"source": ["web", "ads"] * 30})
    compute_features(engine, found.tables, found.snapshots, SOURCE, tmp_path / "features")
    before = (tmp_path / "features" / "part-00000.parquet").read_bytes()

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pq.ParquetWriter, "write_table", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compute_features(engine, found.tables, found.snapshots, SOURCE, tmp_path / "features")
    assert (tmp_path / "features" / "part-00000.parquet").read_bytes() == before
    assert [path.name for path in tmp_path.glob("*features*")] == ["features"]
