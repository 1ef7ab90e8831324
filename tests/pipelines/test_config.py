"""The configuration: what it accepts, what it refuses in which words, what it never shows."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from leadlight.features.errors import ConfigError
from leadlight.features.rules import RULES
from leadlight.features.tables import TABLES
from leadlight.pipelines.config import (
    CapacitySettings,
    Config,
    TopShareSettings,
    config_hash,
    config_schema,
    load_config,
)
from leadlight.pipelines.config_file import read_config_file

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.yaml"))

SOURCES = """\
sources:
  leads: {path: contacts.csv, columns: {lead_id: id}}
  outcomes: {path: deals.csv, won: "stage = 'closedwon'"}
"""
SMALLEST = f"project: acme\n{SOURCES}"

DESIGN = """\
project: acme
sources:
  leads:
    path: data/contacts.csv
    columns: {lead_id: id, created_at: createdate, job_title: jobtitle}
  accounts: {path: data/companies.parquet, columns: {account_id: id}}
  events:
    - path: data/page_views/*.parquet
      columns: {occurred_at: ts, detail: url}
      event_type: page_view
    - {path: data/email.csv, columns: {occurred_at: created, event_type: type}}
  outcomes: {path: data/deals.csv, columns: {closed_at: closedate}, won: "dealstage = 'closedwon'"}
label:      {horizon_days: 90}
snapshots:  {every_days: 30}          # or {at_age_days: [3]}
features:   {lookback_days: [7, 30, 90], exclude: [lifecyclestage]}
mql:        {policy: capacity, leads_per_week: 200, minimum: {fit: 0.2, engagement: 0.2}}
"""


@pytest.fixture
def load(tmp_path: Path):
    def load(text: str, **environ: str) -> Config:
        path = tmp_path / "leadlight.yaml"
        path.write_text(text, encoding="utf-8")
        return load_config(path, environ)

    return load


@pytest.fixture
def refusal(load):
    def refusal(text: str, **environ: str) -> str:
        with pytest.raises(ConfigError) as caught:
            load(text, **environ)
        return str(caught.value)

    return refusal


# What it accepts


def test_the_smallest_configuration_takes_the_defaults(load) -> None:
    config = load(SMALLEST)
    assert config.label.horizon_days == config.label.cooldown_days == 90
    assert (config.label.immature, config.label.use_feedback) == ("weight", False)
    assert config.snapshots.every_days == 30
    assert config.snapshots.at_age_days == ()
    assert config.features.lookback_days == (7, 30, 90)
    assert isinstance(config.mql, TopShareSettings)
    assert config.mql.share == 0.10
    assert config.seed == 0
    assert config.memory_limit == "2GB"
    assert config.checks == {}


def test_the_documented_configuration_loads(load) -> None:
    config = load(DESIGN)
    assert isinstance(config.mql, CapacitySettings)
    assert config.mql.leads_per_week == 200
    assert config.mql.minimum.fit == 0.2
    keys = [source.key for source in config.sources_list()]
    assert keys == [
        "sources.leads",
        "sources.accounts",
        "sources.events[0]",
        "sources.events[1]",
        "sources.outcomes",
    ]


def test_a_source_says_everything_that_the_door_needs(load, tmp_path: Path) -> None:
    config = load(
        "project: acme\nsources:\n"
        "  leads: {path: a.csv, columns: {lead_id: id, tier: grade_of_us}, timezone: Europe/Berlin,"
        " delimiter: ';', encoding: latin-1, missing: [Select, '-'], where: id > 3}\n"
        "  events: {path: e.csv, event_type: click}\n"
        "  outcomes: {path: d.duckdb, name: main.deals, won: 'true'}\n"
    )
    leads, events, outcomes = config.sources_list()
    assert (leads.table, leads.path) == ("leads", str(tmp_path / "a.csv"))
    assert leads.columns == {"lead_id": "id", "tier": "grade_of_us"}
    assert (leads.timezone, leads.delimiter, leads.encoding) == ("Europe/Berlin", ";", "latin-1")
    assert (leads.missing, leads.where) == (("Select", "-"), "id > 3")
    assert events.event_type == "click"
    assert (outcomes.name, outcomes.won) == ("main.deals", "true")


def test_one_source_may_be_written_as_a_list_of_one(load) -> None:
    listed = SMALLEST.replace(
        "{path: contacts.csv, columns: {lead_id: id}}", "[{path: contacts.csv}]"
    )
    assert load(listed).sources_list()[0].key == "sources.leads"


def test_several_sources_of_outcomes_share_the_narrowest_observation(load) -> None:
    config = load(
        "project: a\nsources:\n  leads: {path: l.csv}\n  outcomes:\n"
        "    - {path: a.csv, won: w, observed_from: 2023-01-01, observed_until: 2024-12-31}\n"
        "    - {path: b.csv, won: w, observed_from: 2023-06-01, lag_days: 7}\n"
    )
    observation = config.observation
    assert observation.observed_from == datetime(2023, 6, 1, tzinfo=UTC)
    assert observation.lag_days == 7


def test_the_last_observed_day_counts_to_its_end(load) -> None:
    text = SMALLEST.replace("won:", "observed_until: 2024-12-31, won:")
    assert load(text).observation.observed_until == datetime(2025, 1, 1, tzinfo=UTC)


def test_paths_go_from_the_files_folder_wherever_one_stands(load, tmp_path: Path) -> None:
    config = load(SMALLEST)
    assert config.sources_list()[0].path == str(tmp_path / "contacts.csv")
    assert config.workspace_directory == tmp_path / "workspace"
    assert config.tracking_uri == f"sqlite:///{tmp_path / 'workspace' / 'mlflow.db'}"
    assert load(SMALLEST.replace("contacts.csv", "/data/c.csv")).sources_list()[0].path == (
        "/data/c.csv"
    )
    stored = load(SMALLEST.replace("contacts.csv", "s3://acme/*.csv"))
    assert stored.sources_list()[0].path == "s3://acme/*.csv"


def test_a_configuration_is_frozen(load) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(SMALLEST).project = "other"


@pytest.mark.parametrize(
    "word", ["no", "yes", "on", "2024-01-31", "12:30", "y", "007", "1_000", "0x1F"]
)
def test_yaml_does_not_turn_words_into_something_else(load, word: str) -> None:
    assert load(SMALLEST + f"features: {{exclude: [{word}]}}\n").features.exclude == (word,)


def test_snapshots_by_age_turn_the_grid_off(load) -> None:
    snapshots = load(SMALLEST + "snapshots: {at_age_days: [3, 30]}\n").snapshots
    assert (snapshots.every_days, snapshots.at_age_days) == (None, (3, 30))


def test_a_limit_of_null_only_warns(load) -> None:
    assert load(SMALLEST + "checks: {duplicate_key: null, future_date: 1}\n").checks == {
        "duplicate_key": None,
        "future_date": 1,
    }


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_each_example_loads_within_forty_lines_and_follows_the_schema(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 40
    config = load_config(path, {"LEADLIGHT_DATA": "/data"})
    assert config.project == path.stem
    jsonschema.validate(yaml.safe_load(text), config_schema())


def test_there_are_the_four_examples() -> None:
    assert [path.stem for path in EXAMPLES] == ["bank", "bpi2012", "olist", "xeducation"]


# Variables


def test_a_variable_is_filled_in_anywhere_in_a_text(load, tmp_path: Path) -> None:
    text = SMALLEST.replace("path: contacts.csv", "path: '${DATA}/${FILE}.csv'")
    config = load(text, DATA="/data", FILE="people")
    assert config.sources_list()[0].path == "/data/people.csv"


def test_a_default_stands_in_for_a_variable_that_is_not_set_or_empty(load) -> None:
    text = SMALLEST + "workspace: ${WORK:-runs}\n"
    assert load(text).workspace == "runs"
    assert load(text, WORK="").workspace == "runs"
    assert load(text, WORK="there").workspace == "there"


def test_a_variable_can_be_a_number(load) -> None:
    assert load(SMALLEST + "seed: ${SEED:-7}\n").seed == 7
    assert load(SMALLEST + "seed: ${SEED:-7}\n", SEED="11").seed == 11


def test_a_quoted_variable_stays_a_text(load) -> None:
    assert load(SMALLEST.replace("acme", '"${NAME}"'), NAME="123").project == "123"


def test_a_variables_value_is_not_filled_in_again(load) -> None:
    assert load(SMALLEST.replace("acme", "${NAME}"), NAME="${OTHER}").project == "${OTHER}"


def test_a_pattern_may_end_with_a_dollar_sign(load) -> None:
    config = load(SMALLEST + "features: {pages: [{kind: pricing, pattern: /pricing$}]}\n")
    assert config.features.pages[0].pattern == "/pricing$"


def test_an_unset_variable_is_named_with_its_place(refusal, tmp_path: Path) -> None:
    message = refusal(SMALLEST + "workspace: ${WORKSPAC}\n", WORKSPACE="x")
    assert f"{tmp_path / 'leadlight.yaml'}:5: workspace: " in message
    assert "the environment variable WORKSPAC is not set. Did you mean 'WORKSPACE'?" in message
    assert "export WORKSPAC=" in message


@pytest.mark.parametrize("text", ["${", "${A", "${A-b}", "${1A}", "${}"])
def test_a_malformed_variable_is_refused(refusal, text: str) -> None:
    assert "write ${NAME} or ${NAME:-default}" in refusal(SMALLEST + f"workspace: '{text}'\n")


# Secrets

SECRET = SMALLEST.replace("{path: deals.csv,", "{url: '${DB}', name: deals,")
URL = "postgresql+psycopg://crm:hunter2@db.example/sales?password=hunter2"


def test_a_url_is_whole_for_the_door_and_never_shown(load) -> None:
    config = load(SECRET + f"mlflow: {{tracking_uri: '{URL}'}}\n", DB=URL)
    assert config.sources_list()[1].url == URL
    assert config.tracking_uri == URL
    shown = [repr(config), str(config), repr(config.sources_list()), config.model_dump_json()]
    shown += [json.dumps(config.public_dict()), repr(config.model_dump())]
    assert not any("hunter2" in text for text in shown)
    public = config.public_dict()
    assert public["sources"]["outcomes"][0]["url"] == "postgresql+psycopg://***"
    assert public["mlflow"]["tracking_uri"] == "postgresql+psycopg://***"


def test_what_is_not_a_url_is_hidden_whole(load) -> None:
    public = load(SECRET, DB="hunter2").public_dict()
    assert public["sources"]["outcomes"][0]["url"] == "***"


@pytest.mark.parametrize(
    "broken",
    [
        SECRET + "labl: {}\n",
        SECRET.replace("url:", "ur1:"),
        SECRET.replace("name: deals,", ""),
        SECRET.replace("outcomes: {", "outcomes: {path: x.csv, "),
        SECRET + "label: {horizon_days: '${DB}'}\nmql: {policy: top_share, share: '${DB}'}\n",
    ],
)
def test_no_error_shows_a_url(refusal, broken: str) -> None:
    message = refusal(broken, DB=URL)
    assert "hunter2" not in message


def test_no_error_carries_a_secret_in_its_traceback(load) -> None:
    with pytest.raises(ConfigError) as caught:
        load(SECRET.replace("url:", "ur1:"), DB=URL)
    assert caught.value.__suppress_context__
    assert caught.value.__cause__ is None


def test_public_paths_stay_as_they_are_written(load) -> None:
    text = SMALLEST.replace("path: contacts.csv", "path: '${DATA}/contacts.csv'")
    public = load(text + "workspace: ${WORK:-runs}\n", DATA="/home/me/data").public_dict()
    assert public["sources"]["leads"][0]["path"] == "${DATA}/contacts.csv"
    assert public["workspace"] == "${WORK:-runs}"
    assert "/home/me" not in json.dumps(public)


# The hash


def test_the_hash_is_the_same_wherever_the_data_lies(load) -> None:
    text = SMALLEST.replace("path: contacts.csv", "path: '${DATA}/contacts.csv'")
    assert config_hash(load(text, DATA="/a")) == config_hash(load(text, DATA="/b"))


def test_the_hash_does_not_depend_on_layout_but_on_meaning(load) -> None:
    first = load(SMALLEST + "seed: 1\n")
    assert len(config_hash(first)) == 64
    assert config_hash(first) == config_hash(load("# a comment\nseed: 1\n" + SMALLEST))
    assert config_hash(first) != config_hash(load(SMALLEST + "seed: 2\n"))
    assert config_hash(load(SMALLEST)) == config_hash(
        load(SMALLEST + "label: {horizon_days: 90}\n")
    )


def test_the_hash_does_not_depend_on_the_password(load) -> None:
    assert config_hash(load(SECRET, DB=URL)) == config_hash(load(SECRET, DB=URL + "x"))


# What it refuses


@pytest.mark.parametrize(
    ("addition", "line", "words"),
    [
        ("labl: {}", 5, "labl: unknown key. Did you mean 'label'?"),
        ("label: {horizon_day: 3}", 5,
         "label.horizon_day: unknown key. Did you mean 'horizon_days'?"),
        ("label:\n  cooldown_days: -1", 6, "label.cooldown_days: must be at least 0, not -1"),
        ("label: {xyz: 3}", 5, "label.xyz: unknown key. Known: horizon_days, cooldown_days"),
        ("label: {horizon_days: 0}", 5, "label.horizon_days: must be greater than 0, not 0"),
        ("label: {horizon_days: -5}", 5, "label.horizon_days: must be greater than 0, not -5"),
        ("label: {horizon_days: 1.5}", 5, "label.horizon_days: must be a whole number, not 1.5"),
        ("label: {horizon_days: true}", 5, "label.horizon_days: must be a whole number, not true"),
        ("label: {horizon_days: '90'}", 5, "label.horizon_days: must be a whole number"),
        ("label: {attribution: contct}", 5, "'contct' is not known. Did you mean 'contact'?"),
        ("label: 3", 5, "label: must be a mapping of keys to values"),
        ("mql: {policy: capasity, leads_per_week: 3}", 5,
         "mql.policy: 'capasity' is not known. Did you mean 'capacity'?"),
        ("mql: {policy: capacity, lead_per_week: 3}", 5,
         "mql.lead_per_week: unknown key. Did you mean 'leads_per_week'?"),
        ("mql: {policy: capacity, leads_per_week: 0}", 5, "must be greater than 0"),
        ("mql: {policy: capacity}", 5, "mql.leads_per_week: is missing"),
        ("mql: {leads_per_week: 3}", 5, "mql: say `policy`: capacity, top_share or probability"),
        ("mql: {policy: top_share, share: 0}", 5, "mql.share: must be greater than 0"),
        ("mql: {policy: top_share, share: 1}", 5, "mql.share: must be less than 1"),
        ("mql: {policy: top_share, share: 10}", 5, "mql.share: must be less than 1"),
        ("mql: {policy: top_share, share: .nan}", 5, "mql.share: must be a finite number"),
        ("mql: {policy: probability, probability: 1.5}", 5, "must be less than 1"),
        ("mql: {policy: top_share, share: 0.1, minimum: {fitt: 0.2}}", 5,
         "mql.minimum.fitt: unknown key. Did you mean 'fit'?"),
        ("mql: {policy: top_share, share: 0.1, minimum: {fit: 20}}", 5, "mql.minimum.fit: must be"),
        ("features: {lookback_days: [30, 7]}", 5, "`lookback_days` must ascend"),
        ("features: {lookback_days: [7, 7]}", 5, "`lookback_days` must ascend"),
        ("features: {lookback_days: []}", 5, "`lookback_days` must ascend"),
        ("features: {lookback_days: [0, 7]}", 5,
         "features.lookback_days[0]: must be greater than 0"),
        ("features: {lookback_days: 7}", 5, "features.lookback_days: must be a list"),
        ("features: {exclude: [a], include: [a]}", 5, "'a' is in `exclude` and in `include`"),
        ("features: {exclude: [a], engagement: [a]}", 5, "'a' is in `exclude` and in `engagement`"),
        ("snapshots: {every_days: 30, at_age_days: [3]}", 5,
         "snapshots: say either `every_days` or `at_age_days`; not both"),
        ("snapshots: {every_days: 0}", 5, "snapshots.every_days: must be greater than 0"),
        ("snapshots: {at_age_days: []}", 5, "say when to look at leads"),
        ("snapshots: {at_age_days: [0]}", 5, "snapshots.at_age_days[0]: must be greater than 0"),
        ("snapshots: {at_age_days: [9, 3]}", 5, "`at_age_days` must ascend"),
        ("checks: {duplicate_keys: 0.1}", 5,
         "checks: no rule is called 'duplicate_keys'. Did you mean 'duplicate_key'?"),
        ("checks: {duplicate_key: 2}", 5, "checks.duplicate_key: must be at most 1"),
        ("memory_limit: plenty", 5, "memory_limit: must look like 2GB"),
        ("seed: -1", 5, "seed: must be at least 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_its_place(
    refusal, tmp_path: Path, addition: str, line: int, words: str
) -> None:
    message = refusal(f"{SMALLEST}{addition}\n")
    assert f"{tmp_path / 'leadlight.yaml'}:{line}: " in message
    assert words in message


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ("leads: {path: a.csv, url: 'x://y', name: t}",
         "sources.leads: say either `path` or `url`; not both"),
        ("leads: {columns: {lead_id: id}}", "sources.leads: say either `path` or `url`; one of"),
        ("leads: {url: 'x://y', name: t, query: SELECT 1}", "either `name` or `query`; not both"),
        ("leads: {url: 'x://y'}", "a database needs `name`"),
        ("leads: {path: crm.duckdb}", "a database needs `name`"),
        ("leads: {path: a.csv, name: contacts}", "`name` and `query` are for databases"),
        ("leads: {path: a.parquet, delimiter: ';'}", "`delimiter` and `encoding` are for text"),
        ("leads: {pth: a.csv}", "sources.leads.pth: unknown key. Did you mean 'path'?"),
        ("leads: {path: ''}", "sources.leads.path: is empty"),
        ("leads: [{path: a.csv}, {path: b.csv, timezone: Europe/Berln}]",
         "sources.leads[1].timezone: no time zone is called 'Europe/Berln'. "
         "Did you mean 'Europe/Berlin'?"),
        ("leads: {path: a.csv, columns: {lead_idd: id}}",
         "leads has no column 'lead_idd'. Did you mean 'lead_id'?"),
        ("leads: {path: a.csv, columns: {converted: c}}",
         "'converted' is not mapped but said with `won:`"),
        ("leads: {path: a.csv, order_by: row}", "`order_by` is for flat tables"),
        ("leads: []", "sources.leads: must name at least one"),
        ("leads: {path: a.csv, event_type: x}", "sources.leads.event_type: unknown key"),
        ("leads: {path: a.csv}\n  event: {path: b.csv}",
         "sources.event: unknown key. Did you mean 'events'?"),
        ("leads: {path: a.csv}\n  events: {path: e.csv, columns: {occured_at: ts}}",
         "events has no column 'occured_at'. Did you mean 'occurred_at'?"),
        ("leads: {path: a.csv}\n  events: {path: e.csv, event_type: x, columns: {event_type: t}}",
         "`event_type` is both a constant and a mapped column"),
        ("leads: {path: a.csv}", "nothing says who converted"),
        ("leads: {path: a.csv}\n  outcomes: {path: d.csv}", "say what a win is"),
        ("leads: {path: a.csv}\n  outcomes: {path: d.csv, won: x, columns: {won: y}}",
         "`won` is both an expression and a mapped column"),
        ("leads: {path: a.csv}\n"
         "  outcomes: {path: d.csv, won: x, observed_from: 2024-02-01, observed_until: 2024-01-01}",
         "`observed_from` is later than `observed_until`"),
        ("leads: {path: a.csv}\n  outcomes: {path: d.csv, won: x, observed_from: soon}",
         "sources.outcomes.observed_from: must be a date: 2024-01-31"),
        ("leads: {path: a.csv, won: y}\n  outcomes: {path: d.csv, won: x}",
         "`leads` has a label of its own"),
        ("leads: {path: a.csv, won: y}\n  events: {path: d.csv}", "events cannot be used with it"),
        ("leads: [{path: a.csv, won: y}, {path: b.csv}]", "some of `leads` say `won`"),
    ],
)  # fmt: skip
def test_sources_that_contradict_themselves_are_refused(refusal, sources: str, words: str) -> None:
    assert words in refusal(f"project: acme\nsources:\n  {sources}\n")


def test_feedback_can_be_used_only_where_there_is_any(refusal, load) -> None:
    asked = SMALLEST + "label: {use_feedback: true}\n"
    assert "`label.use_feedback` needs `sources.feedback`" in refusal(asked)
    told = asked.replace("sources:\n", "sources:\n  feedback: {path: said.csv}\n")
    assert load(told).label.use_feedback


@pytest.mark.parametrize(
    ("addition", "words"),
    [
        ("snapshots: {every_days: 30}", "`snapshots` needs times"),
        ("snapshots: {at_age_days: [3]}", "`snapshots` needs times"),
        ("mql: {policy: capacity, leads_per_week: 9}", "has no weeks. Use `policy: top_share`"),
        ("label: {use_feedback: true}", "needs `sources.feedback`"),
    ],
)
def test_a_flat_table_refuses_what_needs_time(refusal, load, addition: str, words: str) -> None:
    flat = "project: acme\nsources:\n  leads: {path: a.csv, won: y = 1}\n"
    assert load(flat).sources.is_flat
    assert words in refusal(flat + addition)


def test_all_that_is_wrong_is_said_at_once_each_with_its_line(refusal, tmp_path: Path) -> None:
    message = refusal(SMALLEST + "seed: x\nlabel: {horizon_days: 0}\nmql: {policy: capacity}\n")
    path = tmp_path / "leadlight.yaml"
    assert message.splitlines() == [
        f"{path}:5: seed: must be a whole number",
        f"{path}:6: label.horizon_days: must be greater than 0, not 0",
        f"{path}:7: mql.leads_per_week: is missing",
    ]


def test_a_long_list_of_problems_is_cut(refusal) -> None:
    ages = ", ".join(["-1"] * 30)
    message = refusal(SMALLEST + f"snapshots: {{at_age_days: [{ages}]}}\n")
    assert "... and 20 more" in message
    assert len(message.splitlines()) == 11


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("project: [a\n b: c", ":2:3: not valid YAML:"),
        ("project: a: b", ":1:11: not valid YAML: mapping values are not allowed here"),
        ("project: a\n\tseed: 1", ":2:1: not valid YAML: found character '\\t'"),
        ("project: !!python/name:os.system x", ":1:10: not valid YAML:"),
        ("project: !!python/object/apply:os.system [echo]", ":1: project: the tag"),
        ("a: 1\n---\nb: 2", "not valid YAML"),
        ("project: \x07", "not valid YAML"),
        ("a: &a {b: *a}", "a.b: this part contains itself"),
        ("? [a, b]\n: c", ":1: a key must be a text"),
        ("[" * 1200, "is nested too deeply"),
        ("", "is empty"),
        ("# nothing\n", "is empty"),
        ("- a\n- b", ":1: must be a mapping of keys to values"),
        ("{path: ${DATA}/x}", "around ${VARIABLE} between braces"),
    ],
)
def test_what_is_not_yaml_is_refused_with_line_and_column(refusal, text: str, words: str) -> None:
    assert words in refusal(text)


def test_a_key_twice_is_refused_with_both_lines(refusal, tmp_path: Path) -> None:
    message = refusal(SMALLEST + "seed: 1\nlabel:\n  horizon_days: 3\n  horizon_days: 4\n")
    assert message == (
        f"{tmp_path / 'leadlight.yaml'}:8: label.horizon_days: this key is already on line 7"
    )


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="leadlight init"):
        load_config(tmp_path / "leadlight.yaml")


def test_a_folder_is_not_a_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "leadlight.yaml"
    path.write_bytes("project: Müller".encode("latin-1"))
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load_config(path)


def test_a_mark_at_the_beginning_of_the_file_is_no_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "leadlight.yaml"
    path.write_text(SMALLEST, encoding="utf-8-sig")
    assert load_config(path, {}).project == "acme"


@given(st.text(max_size=60))
def test_whatever_the_file_holds_the_answer_is_a_configuration_or_one_clear_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.mktemp("any") / "leadlight.yaml"
    path.write_text(text, encoding="utf-8", newline="")
    with pytest.raises(ConfigError) as caught:
        load_config(path, {})
    assert str(path) in str(caught.value)


@given(
    st.recursive(
        st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.text(max_size=8)
        | st.none(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [*Config.model_fields, "leads", "path", "won", "policy", "columns"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_shape_of_data_ends_in_anything_but_a_config_error(
    tmp_path_factory: pytest.TempPathFactory, data: Any
) -> None:
    path = tmp_path_factory.mktemp("any") / "leadlight.yaml"
    path.write_text(yaml.safe_dump({"project": "a", "sources": data}), encoding="utf-8")
    with pytest.raises(ConfigError):
        load_config(path, {})


# The schema


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(config_schema())


def test_every_key_is_described_for_editors() -> None:
    schema = config_schema()
    definitions = [schema, *schema["$defs"].values()]
    bare = [
        f"{definition['title']}.{name}"
        for definition in definitions
        for name, entry in definition["properties"].items()
        if not entry.get("description")
    ]
    assert bare == []
    assert [d["title"] for d in definitions if not d.get("description")] == []


@pytest.mark.parametrize(
    ("addition", "is_valid"),
    [
        ("label: {horizon_days: 30}", True),
        ("label: {horizon_days: 0}", False),
        ("labl: {}", False),
        ("mql: {policy: capacity, leads_per_week: 3}", True),
        ("mql: {policy: capasity, leads_per_week: 3}", False),
        ("mql: {policy: top_share, share: 1.5}", False),
        ("checks: {duplicate_key: null}", True),
    ],
)
def test_the_schema_agrees_with_the_reader(load, addition: str, is_valid: bool) -> None:
    text = f"{SMALLEST}{addition}\n"
    validator = jsonschema.Draft202012Validator(config_schema())
    assert validator.is_valid(yaml.safe_load(text)) is is_valid
    try:
        load(text)
    except ConfigError:
        assert not is_valid


def test_the_schema_takes_one_source_or_a_list() -> None:
    validator = jsonschema.Draft202012Validator(config_schema())
    assert validator.is_valid(yaml.safe_load(DESIGN))
    assert not validator.is_valid(yaml.safe_load(DESIGN.replace("event_type: page_view", "x: y")))


# It knows what the rest knows


def test_every_canonical_table_can_be_configured() -> None:
    tables = Config.model_fields["sources"].annotation.model_fields
    assert set(tables) == set(TABLES)


def test_every_rule_of_the_door_can_be_given_a_limit(load) -> None:
    checks = ", ".join(f"{rule}: 0.5" for rule in RULES)
    assert set(load(SMALLEST + f"checks: {{{checks}}}\n").checks) == set(RULES)


def test_lines_are_known_for_each_key(tmp_path: Path) -> None:
    path = tmp_path / "leadlight.yaml"
    path.write_text(DESIGN, encoding="utf-8")
    document = read_config_file(path, {})
    assert document.place(("sources", "events", 1, "columns")).endswith(":11")
    assert document.place(("sources", "events", 1, "nowhere")).endswith(":11")
