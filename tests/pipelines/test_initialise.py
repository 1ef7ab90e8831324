"""`leadlight init`: what it recognises, what it writes, and that what it writes runs."""

import csv
import gzip
import shutil
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from leadlight.features.engines import DuckDBEngine
from leadlight.features.errors import ConfigError, WorkspaceError
from leadlight.features.validation import DoorReport, admit
from leadlight.pipelines.column_words import RESERVED_WORDS, compact, sql_name
from leadlight.pipelines.config import Config, load_config
from leadlight.pipelines.demo.world import WorldSpec, generate_world
from leadlight.pipelines.initialise import Initialisation, initialise
from leadlight.pipelines.raw_tables import read_raw_tables

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def write(
    path: Path, header: Sequence[str], rows: Sequence[Sequence[object]], mark: str = ","
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=mark)
        writer.writerow(header)
        writer.writerows(rows)


def day(number: int) -> str:
    return f"2024-{1 + number % 12:02d}-{1 + number % 28:02d} 10:00:00"


def write_contacts(directory: Path, name: str = "contacts.csv") -> None:
    rows = [[f"c{i}", day(i), f"p{i}@x.example", f"a{i % 7}", "lead"] for i in range(60)]
    header = ["id", "created_at", "email", "company_id", "lifecyclestage"]
    write(directory / name, header, rows)


def write_deals(directory: Path) -> None:
    rows = [
        [f"d{i}", f"c{i}", f"2025-{1 + i % 12:02d}-15", "Closed Won" if i % 3 else "Closed Lost"]
        for i in range(30)
    ]
    write(directory / "deals.csv", ["deal_id", "contact_id", "close_date", "stage"], rows)


def admitted(done: Initialisation, tmp_path: Path) -> DoorReport:
    config = load_config(done.path, {})
    with DuckDBEngine(threads=1) as engine:
        return admit(
            engine,
            config.sources_list(),
            directory=tmp_path / "admitted" / "tables",
            quarantine=tmp_path / "admitted" / "quarantine",
            now=NOW,
            limits=config.checks,
        )


def only(config: Config, table: str):
    (source,) = [source for source in config.sources_list() if source.table == table]
    return source


# A lifecycle


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("world") / "acme exports"
    generate_world(WorldSpec(leads=1500, years=2, seed=3, start=date(2023, 1, 1)), directory)
    (directory / "leadlight.yaml").rename(directory / "original.yml")
    return directory


def test_the_demo_world_is_recognised_whole(demo: Path, tmp_path: Path) -> None:
    directory = tmp_path / "acme exports"
    shutil.copytree(demo, directory)
    done = initialise(directory)
    assert done.path == directory / "leadlight.yaml"
    assert done.tables == {
        "leads": ("contacts.csv",),
        "accounts": ("companies.parquet",),
        "events": ("activities.parquet", "email.csv.gz", "page_views/*.parquet"),
        "outcomes": ("deals.csv",),
        "feedback": ("feedback.csv",),
        "identities": ("identities.csv",),
    }
    written = load_config(done.path, {})
    original = load_config(directory / "original.yml", {})
    meant = {source.path: source for source in original.sources_list()}
    for source in written.sources_list():
        wanted = meant[source.path]
        assert wanted.columns.items() <= source.columns.items()
        assert (source.table, source.won, source.event_type) == (
            wanted.table,
            wanted.won,
            wanted.event_type,
        )
    assert written.project == "acme-exports"
    assert {"lifecyclestage", "hubspotscore", "notes_last_contacted"} <= set(
        written.features.exclude
    )
    report = admitted(done, tmp_path)
    assert report.rows_kept["leads"] == 1500
    assert all(count.passed for count in report.counts)
    assert done.notes[-1] == (
        "left out: not recognised: truth/leads.parquet, truth/snapshots.parquet"
    )


def test_names_and_values_make_a_lifecycle(tmp_path: Path) -> None:
    write_contacts(tmp_path)
    write_deals(tmp_path)
    visits = [[f"c{i % 60}", day(i), f"https://x.example/p{i % 9}"] for i in range(300)]
    write(tmp_path / "page_visits.csv", ["contact_id", "timestamp", "url"], visits)
    done = initialise(tmp_path)
    config = load_config(done.path, {})
    leads, deals, visits_source = (only(config, name) for name in ("leads", "outcomes", "events"))
    assert leads.columns == {"lead_id": "id", "account_id": "company_id"}
    assert deals.columns == {"lead_id": "contact_id", "closed_at": "close_date"}
    assert deals.won == "stage = 'Closed Won'"
    assert visits_source.event_type == "page_visit"
    assert visits_source.columns == {
        "lead_id": "contact_id",
        "occurred_at": "timestamp",
        "detail": "url",
    }
    assert config.features.exclude == ("lifecyclestage",)
    assert admitted(done, tmp_path).rows_kept == {"leads": 60, "events": 300, "outcomes": 30}


def test_a_table_of_wins_only_takes_every_row_as_a_win(tmp_path: Path) -> None:
    write_contacts(tmp_path)
    write(
        tmp_path / "wins.csv", ["contact_id", "won_at"], [[f"c{i}", "2025-01-01"] for i in range(9)]
    )
    done = initialise(tmp_path)
    assert only(load_config(done.path, {}), "outcomes").won == "true"
    assert any("every row is taken as a win" in note for note in done.notes)


def test_an_event_log_gives_the_outcomes_where_nothing_else_does(tmp_path: Path) -> None:
    write(tmp_path / "cases.csv", ["case_id", "reg_date"], [[i, day(i)] for i in range(40)])
    log = [[i, "2025-01-01 08:00", "A_SENT"] for i in range(40)]
    log += [[i, "2025-02-01 08:00", "A_APPROVED" if i % 2 else "A_DECLINED"] for i in range(30)]
    log += [[i, "2025-01-15 08:00", "O_CANCELLED"] for i in range(5)]
    write(tmp_path / "log.csv", ["case_id", "timestamp", "activity"], log)
    done = initialise(tmp_path)
    config = load_config(done.path, {})
    assert only(config, "outcomes").won == "activity = 'A_APPROVED'"
    report = admitted(done, tmp_path)
    assert report.rows_kept == {"leads": 40, "events": 40, "outcomes": 30}


def test_wins_stamped_on_the_leads_are_outcomes_and_no_features(tmp_path: Path) -> None:
    rows = [
        [i, day(i), "2025-03-01" if i % 4 == 0 else "", "true" if i % 4 == 0 else "false", "DE"]
        for i in range(40)
    ]
    header = ["lead_id", "created_date", "converted_date", "is_customer", "country"]
    write(tmp_path / "leads.csv", header, rows)
    clicks = [[i % 40, day(i), "click"] for i in range(90)]
    write(tmp_path / "clicks.csv", ["lead_id", "ts", "type"], clicks)
    done = initialise(tmp_path)
    config = load_config(done.path, {})
    assert only(config, "outcomes").won == "is_customer"
    assert {"converted_date", "is_customer"} <= set(config.features.exclude)
    assert admitted(done, tmp_path).rows_kept == {"leads": 40, "events": 90, "outcomes": 10}


def test_ids_that_are_not_shared_are_no_link(tmp_path: Path) -> None:
    write_contacts(tmp_path)
    write_deals(tmp_path)
    strangers = [[f"z{i}", day(i), "click"] for i in range(50)]
    write(tmp_path / "clicks.csv", ["contact_id", "ts", "type"], strangers)
    done = initialise(tmp_path)
    assert "events" not in done.tables
    assert (
        "left out: clicks.csv none of its 'contact_id' is among the leads of contacts.csv"
        in done.notes
    )
    assert "clicks.csv" in done.path.read_text(encoding="utf-8")


def test_the_leads_table_is_the_one_that_others_refer_to(tmp_path: Path) -> None:
    write_contacts(tmp_path, "a_contact_list.csv")
    write(tmp_path / "people.csv", ["id", "created_at"], [[f"q{i}", day(i)] for i in range(30)])
    write_deals(tmp_path)
    assert initialise(tmp_path).tables["leads"] == ("a_contact_list.csv",)


def test_a_history_of_contacts_is_not_the_contacts(tmp_path: Path) -> None:
    write_contacts(tmp_path)
    write_contacts(tmp_path, "a_contacts_history.csv")
    write_deals(tmp_path)
    assert initialise(tmp_path).tables["leads"] == ("contacts.csv",)


def test_a_short_history_gets_a_short_horizon(tmp_path: Path) -> None:
    write_contacts(tmp_path)
    write(
        tmp_path / "wins.csv",
        ["contact_id", "won_date"],
        [[f"c{i}", f"2025-0{1 + i % 4}-01"] for i in range(20)],
    )
    assert load_config(initialise(tmp_path).path, {}).label.horizon_days == 30


def test_leads_without_outcomes_make_a_draft_that_says_what_is_missing(tmp_path: Path) -> None:
    write_contacts(tmp_path)
    done = initialise(tmp_path)
    assert any(note.startswith("Nothing says who converted") for note in done.notes)
    text = done.path.read_text(encoding="utf-8")
    assert "# outcomes:" in text
    with pytest.raises(ConfigError, match="nothing says who converted"):
        load_config(done.path, {})
    write_deals(tmp_path)
    completed = text.replace("  # outcomes:", "  outcomes:").replace("  #   ", "    ")
    completed = completed.replace("stage = 'closedwon'", "stage = 'Closed Won'")
    done.path.write_text(completed, encoding="utf-8")
    assert admitted(done, tmp_path).rows_kept["outcomes"] == 30


def test_deals_that_name_nobody_are_explained(tmp_path: Path) -> None:
    write_contacts(tmp_path)
    rows = [[i, "2025-01-01", "Won" if i % 2 else "Lost"] for i in range(20)]
    write(tmp_path / "opportunities.csv", ["id", "close_date", "stage"], rows)
    notes = initialise(tmp_path).notes
    assert any("names neither a lead nor an account" in note for note in notes)


# A flat table


def flat_rows(count: int = 80) -> list[list[object]]:
    return [
        [f"L{i}", 1000 - i, i % 3, "Select" if i % 5 else "web", int(i % 4 == 0), "hot"]
        for i in range(count)
    ]


FLAT = [
    "Prospect ID",
    "Lead Number",
    "TotalVisits",
    "How did you hear, of us?",
    "Converted",
    "Tags",
]


def test_a_flat_table_is_recognised_by_its_label(tmp_path: Path) -> None:
    write(tmp_path / "Leads.csv", FLAT, flat_rows())
    done = initialise(tmp_path)
    config = load_config(done.path, {})
    (leads,) = config.sources_list()
    assert (leads.won, leads.order_by, leads.missing) == (
        "Converted = 1",
        "Lead Number",
        ("Select",),
    )
    assert leads.columns == {"lead_id": "Prospect ID"}
    assert config.features.engagement == ("TotalVisits",)
    assert config.features.exclude == ("Tags",)
    assert admitted(done, tmp_path).tables.is_flat


@pytest.mark.parametrize(
    ("yes", "no", "won"),
    [
        ("yes", "no", "\"y?\" = 'yes'"),
        ("1", "0", '"y?" = 1'),
        ("True", "False", '"y?"'),
        ("won", "lost", "\"y?\" = 'won'"),
    ],
)
def test_a_label_of_any_two_words_is_read(tmp_path: Path, yes: str, no: str, won: str) -> None:
    rows = [[i % 5, i % 7, i % 3, yes if i % 3 else no] for i in range(30)]
    write(tmp_path / "table.csv", ["a", "b", "c", "y?"], rows)
    done = initialise(tmp_path)
    (leads,) = load_config(done.path, {}).sources_list()
    assert leads.won == won
    assert leads.order_by is None
    assert "# order_by: row" in done.path.read_text(encoding="utf-8")
    report = admitted(done, tmp_path)
    with duckdb.connect() as connection:
        query = f"SELECT count(*) FROM '{report.tables.path('leads')}' WHERE converted"
        assert connection.execute(query).fetchall() == [(20,)]


def test_a_column_with_more_than_two_values_is_no_label(tmp_path: Path) -> None:
    rows = [[i % 5, i % 7, i % 2, ("yes", "no", "maybe")[i % 3]] for i in range(30)]
    write(tmp_path / "table.csv", ["a", "b", "c", "y"], rows)
    with pytest.raises(ConfigError, match="no table of leads was recognised"):
        initialise(tmp_path)


# Files


def test_every_kind_of_file_is_read_alike(tmp_path: Path) -> None:
    rows = flat_rows()
    plain = tmp_path / "csv" / "t.csv"
    write(plain, FLAT, rows)
    (tmp_path / "gz").mkdir()
    (tmp_path / "gz" / "t.csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    write(tmp_path / "tsv" / "t.tsv", FLAT, rows, "\t")
    write(tmp_path / "semicolon" / "t.csv", FLAT, rows, ";")
    columns = {name: [row[i] for row in rows] for i, name in enumerate(FLAT)}
    (tmp_path / "parquet").mkdir()
    pq.write_table(pa.table(columns), tmp_path / "parquet" / "t.parquet")
    (tmp_path / "duckdb").mkdir()
    with duckdb.connect(str(tmp_path / "duckdb" / "crm.duckdb")) as connection:
        connection.execute(f"CREATE TABLE \"all leads\" AS FROM read_csv('{plain}')")
    for folder in ("csv", "gz", "tsv", "semicolon", "parquet", "duckdb"):
        done = initialise(tmp_path / folder)
        (leads,) = load_config(done.path, {}).sources_list()
        assert leads.won == "Converted = 1", folder
        assert admitted(done, tmp_path / folder).rows_kept == {"leads": 80}, folder


def test_files_that_differ_by_a_number_are_one_table(tmp_path: Path) -> None:
    write_contacts(tmp_path)
    write_deals(tmp_path)
    for year in (2023, 2024):
        clicks = [[f"c{i % 60}", f"{year}-05-05", "click"] for i in range(40)]
        write(
            tmp_path / "clicks" / f"year={year}" / "part-0.csv",
            ["contact_id", "ts", "type"],
            clicks,
        )
    done = initialise(tmp_path)
    assert done.tables["events"] == ("clicks/year=*/part-*.csv",)
    assert admitted(done, tmp_path).rows_read["events"] == 80


def test_files_of_other_columns_are_not_swept_into_a_pattern(tmp_path: Path) -> None:
    write_contacts(tmp_path)
    write_deals(tmp_path)
    header = ["contact_id", "ts", "type"]
    for number in (1, 2):
        write(tmp_path / f"clicks_{number}.csv", header, [[f"c{number}", day(number), "click"]])
    write(tmp_path / "clicks_3.csv", [*header, "note"], [["c3", day(3), "click", "x"]])
    done = initialise(tmp_path)
    assert done.tables["events"] == ("clicks_1.csv", "clicks_2.csv", "clicks_3.csv")
    assert admitted(done, tmp_path).rows_kept["events"] == 3


def test_a_file_in_latin_1_is_read_and_said_to_be(tmp_path: Path) -> None:
    write(tmp_path / "table.csv", [*FLAT[:-1], "Größe"], flat_rows())
    text = (tmp_path / "table.csv").read_text(encoding="utf-8")
    (tmp_path / "table.csv").write_bytes(text.encode("latin-1"))
    done = initialise(tmp_path)
    (leads,) = load_config(done.path, {}).sources_list()
    assert leads.encoding == "latin-1"
    assert "Größe" in admitted(done, tmp_path).tables.columns["leads"]


def test_what_cannot_be_read_is_said_and_does_not_stop_the_rest(tmp_path: Path) -> None:
    write(tmp_path / "Leads.csv", FLAT, flat_rows())
    (tmp_path / "broken.parquet").write_bytes(b"not parquet")
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "old.db").write_bytes(b"SQLite format 3\0")
    (tmp_path / "damaged.csv.gz").write_bytes(b"not gzip")
    notes = initialise(tmp_path).notes
    for name in ("broken.parquet", "empty.csv", "old.db", "damaged.csv.gz"):
        assert any(note.startswith(f"left out: {name} cannot be read:") for note in notes), name


def test_results_of_earlier_runs_and_hidden_files_are_not_data(tmp_path: Path) -> None:
    write(tmp_path / "Leads.csv", FLAT, flat_rows())
    for place in ("workspace/scores", ".cache", "mlruns/1"):
        write_contacts(tmp_path / place)
    assert [table.path for table in read_raw_tables(tmp_path).tables] == ["Leads.csv"]


def test_odd_names_survive_in_the_written_file(tmp_path: Path) -> None:
    header = ["Prospect ID", "a: b", "c, d} #e", 'f\'s "g"', "Converted?", "order"]
    rows = [[f"L{i}", i, i, i, int(i % 2), i % 5] for i in range(20)]
    directory = tmp_path / "it's: {odd} #1\nnews"
    write(directory / "my [leads], #1.csv", header, rows)
    done = initialise(directory)
    config = load_config(done.path, {})
    assert config.sources_list()[0].won == '"Converted?" = 1'
    assert admitted(done, tmp_path).rows_kept == {"leads": 20}


def test_names_that_look_like_variables_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "${HOME}.csv", FLAT, flat_rows())
    write(tmp_path / "Leads.csv", [*FLAT[:-1], "${TAGS}"], flat_rows())
    done = initialise(tmp_path)
    assert done.tables == {"leads": ("Leads.csv",)}
    assert load_config(done.path, {}).sources_list()[0].won == "Converted = 1"


def test_the_same_folder_gives_the_same_bytes(tmp_path: Path) -> None:
    write_contacts(tmp_path)
    write_deals(tmp_path)
    first = initialise(tmp_path).path
    text = first.read_bytes()
    first.unlink()
    assert initialise(tmp_path).path.read_bytes() == text


# What it refuses


def test_a_configuration_is_never_overwritten(tmp_path: Path) -> None:
    write(tmp_path / "Leads.csv", FLAT, flat_rows())
    (tmp_path / "leadlight.yaml").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="is there already"):
        initialise(tmp_path)
    assert (tmp_path / "leadlight.yaml").read_text(encoding="utf-8") == "mine"


def test_an_empty_folder_says_what_kinds_of_file_are_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has no CSV, TSV, Parquet or DuckDB file"):
        initialise(tmp_path)


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no folder"):
        initialise(tmp_path / "nowhere")


def test_tables_without_leads_say_what_leads_look_like(tmp_path: Path) -> None:
    write(tmp_path / "prices.csv", ["product", "price"], [["a", 1], ["b", 2]])
    with pytest.raises(ConfigError, match=r"prices\.csv") as caught:
        initialise(tmp_path)
    assert "an id for each row and the time of its creation" in str(caught.value)
    assert not (tmp_path / "leadlight.yaml").exists()


def test_nothing_half_written_is_left_when_the_folder_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "Leads.csv", FLAT, flat_rows())

    def full(self: Path, *_: object, **__: object) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(WorkspaceError, match="No space left"):
        initialise(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["Leads.csv"]


# Real data


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("bpi2012", {"leads": 13087, "events": 245055, "outcomes": 12688}),
        ("olist", {"leads": 8000, "outcomes": 841}),
        ("xeducation", {"leads": 9240}),
        ("bank", {"leads": 41188}),
    ],
)
def test_public_data_is_recognised_and_admitted(
    real_data: Path, tmp_path: Path, name: str, kept: dict[str, int]
) -> None:
    directory = tmp_path / name
    shutil.copytree(real_data / name, directory, copy_function=shutil.copyfile)
    directory.chmod(0o755)
    done = initialise(directory)
    assert admitted(done, tmp_path).rows_kept == kept


@pytest.mark.real_data
def test_columns_that_know_the_outcome_are_proposed_for_exclusion(
    real_data: Path, tmp_path: Path
) -> None:
    shutil.copy(real_data / "xeducation" / "Leads.csv", tmp_path)
    exclude = load_config(initialise(tmp_path).path, {}).features.exclude
    assert set(exclude) == {
        "Tags",
        "Lead Quality",
        "Lead Profile",
        "Last Activity",
        "Last Notable Activity",
        "Asymmetrique Activity Index",
        "Asymmetrique Activity Score",
        "Asymmetrique Profile Index",
        "Asymmetrique Profile Score",
    }


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("vendor", "tables"),
    [
        ("hubspot", {"leads": ("contact_data.csv",), "accounts": ("company_data.csv",)}),
        ("salesforce", {"leads": ("sf_contact_data.csv",), "accounts": ("sf_account_data.csv",)}),
        ("marketo", {"leads": ("marketo_lead_data.csv",)}),
        ("pardot", {"leads": ("pardot_prospect_data.csv",)}),
    ],
)
def test_a_vendors_export_is_recognised_as_far_as_its_tables_refer_to_each_other(
    real_data: Path, tmp_path: Path, vendor: str, tables: dict[str, tuple[str, ...]]
) -> None:
    directory = tmp_path / vendor
    shutil.copytree(real_data / "crm_seeds" / vendor, directory, copy_function=shutil.copyfile)
    directory.chmod(0o755)
    done = initialise(directory)
    assert done.tables == tables
    document = yaml.safe_load(done.path.read_text(encoding="utf-8"))
    assert set(document["sources"]) == set(tables)
    assert any("none of its" in note for note in done.notes)


# Words


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("property_createdate", "createdate"),
        ("Created Date", "createddate"),
        ("createdAt", "createdat"),
        ("Industry__c", "industry"),
        ("properties.jobtitle", "jobtitle"),
    ],
)
def test_spellings_of_a_name_mean_the_same(name: str, meaning: str) -> None:
    assert compact(name) == meaning


def test_every_word_that_sql_keeps_for_itself_is_quoted() -> None:
    with duckdb.connect() as connection:
        kept = connection.execute(
            "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'"
        ).fetchall()
    words = {word for (word,) in kept}
    assert words <= RESERVED_WORDS
    assert all(sql_name(word) == f'"{word}"' for word in words)
