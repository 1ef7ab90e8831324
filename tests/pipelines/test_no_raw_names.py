"""No raw name of a column reaches a marketer: every feature of every example project, in words."""

import csv
import gzip
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from raw_names import raw_names, raw_names_in
from rich.console import Console
from small_project import make_small_project

from leadlight.features.feature import Feature
from leadlight.features.wording import LANGUAGES, Language, label, sentence
from leadlight.models.reasons import ReasonPart
from leadlight.pipelines.card.lead_card import Card
from leadlight.pipelines.card.page import card_html
from leadlight.pipelines.card.standing import Reason, Standing
from leadlight.pipelines.card.terminal import lead_card
from leadlight.pipelines.config import Config, load_config
from leadlight.pipelines.demo.world import WorldSpec, generate_world
from leadlight.pipelines.prepare import engine_of, open_door
from leadlight.pipelines.progress import Progress
from leadlight.pipelines.train import training_set_of
from leadlight.pipelines.workspace import Workspace

_ROWS = 2500
_VALUES = 12
_REAL = {
    "bank": {"bank/bank-additional-full.csv.gz": ""},
    "bpi2012": {"bpi2012/cases.csv": "case_id", "bpi2012/events.csv.gz": "case_id"},
    "olist": {
        "olist/olist_marketing_qualified_leads_dataset.csv": "mql_id",
        "olist/olist_closed_deals_dataset.csv": "mql_id",
    },
    "xeducation": {"xeducation/Leads.csv": ""},
}
# Names as a CRM's administrators and its API give them.
_OWN = {
    "hs_analytics_num_visits__c": lambda rows: np.arange(rows) % 7,
    "ProductLine2": lambda rows: np.where(np.arange(rows) % 3, "core_suite", "ADD_ON_PACK"),
    "utm.campaign-id": lambda rows: np.where(np.arange(rows) % 2, "spring", "fall"),
    "tier": lambda rows: np.where(np.arange(rows) % 2, "gold", "silver"),
    "____": lambda rows: np.arange(rows) % 5,
}


@dataclass(frozen=True)
class Spoken:
    """Features of a project, the values that they have in it, and how it speaks."""

    config: Config
    features: tuple[Feature, ...]
    frame: pd.DataFrame

    def values(self, feature: Feature) -> list[object]:
        known = self.frame[feature.name].dropna().unique()
        shown = known[:: max(1, len(known) // _VALUES)].tolist()
        if feature.kind == "category":
            return [*shown, "SOME_NEW_LEVEL", None]
        beyond = [] if feature.unit == "share" else [2.5, 1e300]
        return [*shown, 0.0, 1.0, *beyond, None, float("nan")]


def sliced(name: str, data: Path, folder: Path) -> Path:
    """Write the first leads of a public data set, with what belongs to them."""
    kept: set[str] = set()
    for file, key in _REAL[name].items():
        opened = gzip.open if file.endswith(".gz") else open
        (folder / file).parent.mkdir(exist_ok=True)
        with (
            opened(data / file, "rt", encoding="utf-8-sig") as read,
            opened(folder / file, "wt", encoding="utf-8") as written,
        ):
            if not key:
                written.writelines(line for _, line in zip(range(_ROWS), read, strict=False))
                continue
            rows = csv.DictReader(read)
            writer = csv.DictWriter(written, rows.fieldnames or [])
            writer.writeheader()
            for row in rows:
                if len(kept) < _ROWS and not file.endswith(("events.csv.gz", "deals_dataset.csv")):
                    kept.add(row[key])
                if row[key] in kept:
                    writer.writerow(row)
    return folder


def own_columns(directory: Path) -> Path:
    project = make_small_project(directory, leads=400)
    leads = project.read("leads.csv")
    project.write("leads.csv", leads.assign(**{k: v(len(leads)) for k, v in _OWN.items()}))
    events = project.read("events.csv")
    odd = np.arange(len(events)) % 4 == 0
    project.write(
        "events.csv",
        events.assign(event_type=events["event_type"].where(~odd, "W_Nabellen_offertes")),
    )
    project.configure(
        "lookback_days: [7, 30]}",
        "lookback_days: [7, 30], include: [tier, ProductLine2, utm.campaign-id, ____],"
        " labels: {tier: Customer tier}}",
    )
    return project.config


@pytest.fixture(scope="module", params=["demo", "own columns", *_REAL])
def spoken(
    request: pytest.FixtureRequest, project_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Spoken:
    directory = tmp_path_factory.mktemp("spoken")
    environ = {}
    if request.param == "demo":
        shutil.rmtree(directory)
        generate_world(WorldSpec(leads=1200, seed=0), directory)
        path = directory / "leadlight.yaml"
    elif request.param == "own columns":
        path = own_columns(directory / "project")
    else:
        data = sliced(request.param, request.getfixturevalue("real_data"), directory)
        environ = {"LEADLIGHT_DATA": str(data), "LEADLIGHT_WORKSPACE": str(directory / "w")}
        path = project_root / "examples" / f"{request.param}.yaml"
    config = load_config(path, environ)
    progress = Progress()
    with engine_of(config) as engine:
        door = open_door(config, engine, progress)
        workspace = Workspace(config.workspace_directory)
        taught = training_set_of(config, workspace, engine, door, progress)
    return Spoken(config, taught.features, taught.frame)


@pytest.mark.real_data
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_feature_is_told_in_words(spoken: Spoken, language: Language) -> None:
    wording = spoken.config.model_copy(update={"language": language}).wording
    names = raw_names(spoken.features)
    as_of = datetime(2026, 1, 1, tzinfo=UTC)
    assert spoken.features
    for feature in spoken.features:
        told = [label(feature, wording)]
        for value in spoken.values(feature):
            at = as_of if value != 1e300 else None
            told.append(sentence(feature, value, wording, at))
        for text in told:
            assert not raw_names_in(text, names), feature.name
            assert "{" not in text
            assert text[0].isupper() or not text[0].isalpha(), text


@pytest.mark.real_data
def test_card_and_terminal_hold_no_raw_name(spoken: Spoken) -> None:
    language = LANGUAGES[len(spoken.features) % len(LANGUAGES)]  # each speaks somewhere
    wording = spoken.config.model_copy(update={"language": language}).wording
    names = raw_names(spoken.features)
    row = spoken.frame.iloc[0]
    as_of = datetime(2026, 1, 1, tzinfo=UTC)
    reasons = tuple(
        Reason(
            ReasonPart(feature.group, feature.family, 0.1, 1 if at % 2 else -1, feature),
            sentence(feature, row[feature.name], wording, as_of),
        )
        for at, feature in enumerate(spoken.features)
    )
    card = Card(
        reasons_are="shapley_values",
        score={
            "lead_id": "L1",
            "as_of": as_of,
            "mql": True,
            "grade": "A",
            "probability": 0.2,
            "percentile": 0.9,
            "fit_percentile": 0.9,
            "engagement_percentile": 0.9,
            "state": "mql",
            "state_since": as_of,
        },
        definition="",
        standing=Standing(50, 40, 45, reasons, 3),
        certainty=None,
        change=None,
        what_lifts=None,
        runs=(),
        thresholds={},
        days=((as_of.date(), tuple((kind, 2) for kind in _kinds(spoken))),),
        history=[
            {
                "as_of": as_of,
                "from_state": "lead",
                "to_state": "mql",
                "why": wording.say("move.new"),
            }
        ],
        sure=(),
        changed=(),
        lifts=(),
        wording=wording,
    )
    shown = StringIO()
    Console(file=shown, width=200).print(lead_card(card))
    page = card_html(card)
    body = page[page.index("<main") :]
    for feature, reason in zip(spoken.features, reasons, strict=True):
        assert raw_names_in(reason.sentence, names) == [], feature.name
    assert not raw_names_in(shown.getvalue(), names)
    assert not raw_names_in(body.replace("var(--", ""), names - {"lead_age"})


def _kinds(spoken: Spoken) -> list[str]:
    return sorted({each.subject for each in spoken.features if each.statistic == "count"})


def test_the_users_own_words_come_before_the_humanised_name(tmp_path: Path) -> None:
    config = load_config(own_columns(tmp_path / "project"))
    config = config.model_copy(update={"language": "de"})
    feature = Feature(
        "tier", "category", "fit", "profile:tier", "", "", 0, "profile", "tier", None, "leads"
    )
    assert sentence(feature, "gold", config.wording) == "Customer tier: gold"
