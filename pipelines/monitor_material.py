"""What the monitor looks at: streams, features, scores and outcomes of one night, as findings."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from leadlight.features.activity import (
    event_activity_sql,
    lead_intake_sql,
    new_leads_sql,
    verdicts_sql,
    wins_sql,
)
from leadlight.features.catalog import Feature, feature_catalog, labelled
from leadlight.features.engines import DuckDBEngine
from leadlight.features.tables import CanonicalTables
from leadlight.models.agreement_kept import (
    acceptance_finding,
    conversion_finding,
    estimated_finding,
    volume_finding,
)
from leadlight.models.alarms import Finding, Limits
from leadlight.models.estimated_performance import EstimatedPerformance, estimated_performance
from leadlight.models.event_streams import (
    EventStream,
    door_finding,
    event_streams,
    stream_findings,
)
from leadlight.models.feature_drift import (
    COLUMN_STATISTICS,
    FeatureDrift,
    ReferenceProfile,
    drift_findings,
    feature_drifts,
    score_finding,
    top_share,
)
from leadlight.models.lead_intake import intake_columns, intake_findings
from leadlight.models.promise_kept import PromiseKept

from .config import Config
from .held_out import champion_window
from .monitor_looks import Look, comparable_counts, earlier_looks
from .prepare import engine_of, load_frame
from .registry import RegisteredVersion, registry_of
from .scores import UNDATED, instant_of, read_scores
from .workspace import Workspace

DAYS = 64
_SCORES = ["lead_id", "probability", "mql"]
_FEWEST_PROMISED = 10


@dataclass
class Seen:
    """All that was looked at; findings of every look, the quiet ones too."""

    look: Look
    streams: tuple[EventStream, ...]
    drifts: list[FeatureDrift]
    estimated: EstimatedPerformance
    promised: EstimatedPerformance
    conversion: PromiseKept | None
    findings: list[Finding]
    notes: list[str] = field(default_factory=list)


def look_around(config: Config, as_of: datetime, partition: Path, limits: Limits) -> Seen:
    """Look at the night of a partition of scores.

    Parameters
    ----------
    config : Config
    as_of : datetime
        Of the partition.
    partition : Path
    limits : Limits
    """
    workspace = Workspace(config.workspace_directory)
    champion = registry_of(config).champion()
    tables = CanonicalTables.kept_in(workspace.tables)
    looks = earlier_looks(workspace, as_of)
    with engine_of(config) as engine:
        streams, findings = _streams(engine, tables, champion, as_of, looks, limits)
        now = read_scores(partition, _SCORES).to_pandas()
        agreed, conversion, notes = _agreement(engine, tables, config, champion, as_of, now, limits)
    features = labelled(champion.decision.features, config.wording)
    drifts, drifted, reference, counts = _drifted(
        workspace, champion.number, features, streams, looks, as_of
    )
    read, repeated = _at_door(workspace)
    look = Look(
        as_of,
        champion.number,
        (as_of - timedelta(microseconds=1)).date(),
        {one.kind: one.newest for one in streams if one.newest},
        read,
        repeated,
        reference.bins,
        counts,
    )
    if looks:
        before = looks[-1].events_read, looks[-1].events_repeated
        doubled = door_finding((read, repeated), before, limits)
        findings += [doubled] if doubled else []
    held_out = champion_window(config).frame
    earlier = [
        read_scores(path, ["probability"]).to_pandas()["probability"]
        for path in _partitions(workspace, as_of - timedelta(days=7))[-8:]
    ]
    score = score_finding(held_out["probability"], now["probability"], earlier, limits)
    threshold = champion.decision.threshold.threshold
    promised = estimated_performance(held_out["probability"], held_out["probability"] >= threshold)
    estimated = estimated_performance(now["probability"], now["mql"])
    return Seen(
        look,
        streams,
        drifts,
        estimated,
        promised,
        conversion,
        [
            *findings,
            *drift_findings(drifts, features, drifted, reference, limits),
            score,
            estimated_finding(promised, estimated, score.p_value, limits),
            *agreed,
        ],
        notes,
    )


def _streams(
    engine: DuckDBEngine,
    tables: CanonicalTables,
    champion: RegisteredVersion,
    as_of: datetime,
    looks: list[Look],
    limits: Limits,
) -> tuple[tuple[EventStream, ...], list[Finding]]:
    since, last = as_of - timedelta(days=DAYS), (as_of - timedelta(microseconds=1)).date()
    streams: tuple[EventStream, ...] = ()
    findings: list[Finding] = []
    if tables.has("events"):
        activity = engine.table(event_activity_sql(tables, since, as_of)).to_pandas()
        streams = event_streams(activity, last, DAYS)
        findings += stream_findings(streams, limits, looks[-1].earlier() if looks else None)
    # Whether the model has kept them or not: a flood is one all the same.
    columns = [
        (feature.table, feature.subject)
        for feature in feature_catalog(champion.decision.definition)
        if feature.statistic in COLUMN_STATISTICS and feature.kind == "category"
    ]
    columns = [one for one in dict.fromkeys(columns) if tables.has(*one)]
    if not tables.has("leads", "created_at"):
        return streams, findings
    new = engine.table(new_leads_sql(tables, since, as_of)).to_pandas()
    daily = np.zeros(DAYS, dtype=np.int64)
    for day, leads in zip(new["day"], new["leads"], strict=True):
        back = (last - pd.Timestamp(day).date()).days
        daily[DAYS - 1 - back] = leads
    intake = (
        engine.table(lead_intake_sql(tables, columns, since, as_of)).to_pandas()
        if columns
        else pd.DataFrame(columns=["column", "value", "day", "leads"])
    )
    findings += intake_findings(intake_columns(intake, last, DAYS), daily, limits)
    return streams, findings


def _drifted(
    workspace: Workspace,
    version: int,
    features: tuple[Feature, ...],
    streams: tuple[EventStream, ...],
    looks: list[Look],
    as_of: datetime,
) -> tuple[list[FeatureDrift], dict[str, float], ReferenceProfile, dict[str, np.ndarray]]:
    """Hold tonight's features against the newest snapshots that training looked at."""
    names = [feature.name for feature in features]
    columns = ["as_of", *names]
    training = load_frame(workspace.features("training") / "parts")[columns]
    dates = np.sort(training["as_of"].unique())
    newest = training[training["as_of"] == dates[-1]]
    before = training[training["as_of"] == dates[-4 if len(dates) >= 4 else 0]]
    reference: ReferenceProfile = ReferenceProfile.of(newest, before, names)
    tonight = load_frame(workspace.features("scoring") / "parts")[names]
    counts = reference.profile(tonight)
    mine = Look(as_of, version, as_of.date(), {}, 0, 0, reference.bins, counts)
    drifts = feature_drifts(reference, counts, features, streams, comparable_counts(looks, mine))
    return drifts, {name: top_share(tonight[name]) for name in names}, reference, counts


def _agreement(
    engine: DuckDBEngine,
    tables: CanonicalTables,
    config: Config,
    champion: RegisteredVersion,
    as_of: datetime,
    now: pd.DataFrame,
    limits: Limits,
) -> tuple[list[Finding], PromiseKept | None, list[str]]:
    """Look at conversion, MQL volume and acceptance, as far as there is a past to look at."""
    workspace = Workspace(config.workspace_directory)
    findings: list[Finding] = []
    notes: list[str] = []
    conversion = None
    wait = timedelta(days=config.label.horizon_days + config.observation.lag_days)
    mature = _partitions(workspace, as_of - wait)
    uncalibrated = champion.decision.uncalibrated
    if uncalibrated is not None:
        notes.append(
            f"Conversion is not held against a promise, and what is estimated is no "
            f"forecast. {uncalibrated}"
        )
    elif mature and tables.has("outcomes", "lead_id"):
        scored = read_scores(mature[-1], _SCORES).to_pandas()
        start = instant_of(mature[-1])
        end = start + timedelta(days=config.label.horizon_days)
        won = engine.table(wins_sql(tables, start, end)).to_pandas()["lead_id"]
        if scored["probability"].sum() >= _FEWEST_PROMISED:
            conversion, finding = conversion_finding(
                scored["probability"], scored["lead_id"].isin(won), None, limits
            )
            findings.append(finding)
    if conversion is None and uncalibrated is None:
        notes.append(
            "Realised conversion is not known yet: no scores are older than the horizon of "
            f"{config.label.horizon_days} days, or too few wins were promised."
        )
    findings += _volume(config, champion, as_of, now, notes, limits)
    if tables.has("feedback"):
        findings += _acceptance(engine, tables, as_of, limits)
    return findings, conversion, notes


def _volume(
    config: Config,
    champion: RegisteredVersion,
    as_of: datetime,
    now: pd.DataFrame,
    notes: list[str],
    limits: Limits,
) -> list[Finding]:
    """Count new MQLs as the agreement did: between looks as far apart as its snapshots.

    Between nearer ones those count, too, who pass the threshold for some days only.
    """
    threshold = champion.decision.threshold
    agreed, interval = threshold.expected_mqls_per_week, threshold.mqls_per_week
    error = (interval.high - interval.low) / 3.92 if interval else 0.0
    apart = timedelta(days=champion.decision.metadata["snapshots"]["every_days"])
    then = _partitions(Workspace(config.workspace_directory), as_of - 0.9 * apart)
    if not agreed or not then or as_of - instant_of(then[-1]) > 1.5 * apart:
        notes.append(
            f"New MQLs a week are not known yet: there are no scores of {apart.days} days ago, "
            "the distance of the snapshots that the agreement was made on."
        )
        return []
    was = read_scores(then[-1], _SCORES).to_pandas()
    known = set(was.loc[was["mql"], "lead_id"])
    new = int((now["mql"] & ~now["lead_id"].isin(known)).sum())
    weeks = (as_of - instant_of(then[-1])) / timedelta(weeks=1)
    return [volume_finding(new, weeks, agreed, error, limits)]


def _acceptance(
    engine: DuckDBEngine, tables: CanonicalTables, as_of: datetime, limits: Limits
) -> list[Finding]:
    recent = as_of - timedelta(days=28)
    said = []
    for since, until in ((recent, as_of), (recent - timedelta(days=182), recent)):
        rows = dict(engine.rows(verdicts_sql(tables, since, until)))
        said.append((int(rows.get(True, 0)), int(rows.get(False, 0))))
    return [acceptance_finding(said[0], said[1], limits)] if sum(said[0]) and sum(said[1]) else []


def _partitions(workspace: Workspace, until: datetime) -> list[Path]:
    """Return the partitions of scores as of an instant or before, the newest last."""
    dated = [path for path in workspace.scores.glob("as_of=*") if not path.name.endswith(UNDATED)]
    return [path for path in sorted(dated) if instant_of(path) <= until]


def _at_door(workspace: Workspace) -> tuple[int, int]:
    """Return how many rows of events the door has read, and how many it took for repeated."""
    door = json.loads((workspace.root / "door.json").read_text(encoding="utf-8"))
    repeated = [
        count["rows"]
        for count in door["counts"]
        if (count["table"], count["rule"]) == ("events", "duplicated_row")
    ]
    return int(door["rows_read"].get("events", 0)), int(sum(repeated))
