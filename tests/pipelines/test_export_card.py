"""The champion as a points card: Markdown for people, CSV for tools."""

import csv
import json
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from command import leadlight
from model_from_json import score
from small_project import SmallProject

from leadlight.models.points_card import CardLoss, PointsCard, Signal
from leadlight.pipelines.export.card import card_as_csv, card_as_markdown

HOSTILE = Signal("source", "Lead source", "is", "=1+1|<script>alert(1)</script>", 3)
CARD = PointsCard((HOSTILE,), 3, CardLoss(10, 0.6, 0.7, 0.9, 0.5, 0.1, 0.2))


@pytest.fixture(scope="module")
def project(
    trained_small_project: SmallProject, tmp_path_factory: pytest.TempPathFactory
) -> SmallProject:
    return trained_small_project.copied(tmp_path_factory.mktemp("card") / "project")


def test_the_card_in_a_file_says_what_a_person_adds_up(project: SmallProject) -> None:
    path = project.directory / "card.csv"
    ran = leadlight("export", "--card", path, "-c", project.config, "--json")
    assert ran.code == 0, ran.error
    card = json.loads(ran.out)
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert rows[-1]["value"] == str(card["cut_off"])
    frame = pq.read_table(
        project.directory / "workspace" / "features" / "training" / "parts"
    ).to_pandas()
    points = np.zeros(len(frame), dtype=int)
    for row in rows[:-1]:
        column = frame[row["feature"]]
        met = (
            column == row["value"]
            if row["condition"] == "is"
            else column >= float(row["value"])
            if row["condition"] == "at least"
            else column <= float(row["value"])
        )
        points += int(row["points"]) * met.to_numpy()
    # Whoever has many points converts more often.
    known = frame["label"].notna().to_numpy()
    won = frame.loc[known, "label"].astype(bool).to_numpy()
    hot = points[known] >= card["cut_off"]
    assert won[hot].mean() > 2 * won[~hot].mean()

    ran = leadlight("export", "--card", project.directory / "card.md", "-c", project.config)
    assert ran.code == 0, ran.error
    text = (project.directory / "card.md").read_text(encoding="utf-8")
    assert f"From {card['cut_off']} points it is an MQL" in text
    assert f"{card['loss']['card_auc']:.3f}" in text
    assert f"{card['loss']['model_auc']:.3f}" in ran.out


def test_a_feature_table_of_another_training_is_refused(
    project: SmallProject, tmp_path: Path
) -> None:
    parts = project.directory / "workspace" / "features" / "training" / "parts"
    moved = parts.rename(parts.with_name("elsewhere"))
    try:
        message = leadlight("export", "--card", tmp_path / "c.md", "-c", project.config).refused()
    finally:
        moved.rename(parts)
    assert "is not that of the champion's training" in message
    assert not (tmp_path / "c.md").exists()
    message = leadlight("export", "--card", tmp_path / "c.pdf", "-c", project.config).refused()
    assert "neither Markdown nor CSV" in message


def test_hostile_values_are_text_in_both(tmp_path: Path) -> None:
    assert "'=1+1|<script>" in card_as_csv(CARD)
    told = card_as_markdown(CARD, "A lead is an MQL if <b>hot</b>.")
    assert "<script>" not in told.replace("\\<", "")
    assert "\\|" in told
    assert "\\<b\\>" in told


def test_the_document_scores_as_the_query_of_the_same_champion(project: SmallProject) -> None:
    parts = project.directory / "workspace" / "features" / "training" / "parts"
    leads = pq.read_table(parts).to_pandas().head(200)
    ran = leadlight("export", "--json", "-c", project.config)
    assert ran.code == 0, ran.error
    document = json.loads(ran.out)
    scored = [score(document, lead)["probability"] for lead in leads.to_dict("records")]
    ran = leadlight("export", "--sql", "--table", "leads", "-c", project.config)
    assert ran.code == 0, ran.error
    connection = duckdb.connect()
    connection.register("leads", leads)
    answered = connection.sql(ran.out).to_arrow_table().to_pandas()
    keys = ["lead_id", "as_of"]
    both = leads[keys].assign(probability=scored).merge(answered, on=keys, validate="1:1")
    assert len(both) == len(leads)
    np.testing.assert_allclose(both["probability_x"], both["probability_y"], rtol=0, atol=1e-9)


def test_an_unknown_dialect_is_refused_with_the_nearest_known_one(project: SmallProject) -> None:
    ran = leadlight("export", "--sql", "--dialect", "postgress", "-c", project.config)
    assert "Did you mean 'postgres'?" in ran.refused()
    assert "Nothing to export" in leadlight("export", "-c", project.config).refused()
