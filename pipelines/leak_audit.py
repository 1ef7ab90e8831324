"""The leak audit as a job: what the configuration says of it, and its findings as plain data."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadlight.features.engines import DuckDBEngine
from leadlight.features.errors import NotEnoughDataError
from leadlight.features.leak import Leak
from leadlight.features.leaks import ColumnRules, audit_leaks
from leadlight.features.snapshots import training_snapshots
from leadlight.features.tables import CanonicalTables
from leadlight.models.leak_gain import leak_gains

from .config import Config
from .prepare import page_rules, snapshot_plan


@dataclass(frozen=True)
class AuditedLeaks:
    """The audit's findings.

    Attributes
    ----------
    leaks : tuple of dict
        Plain data: ``table``, ``column``, ``verdict``, ``reason``, ``evidence``, ``auc_gain`` (None
        where it cannot be told), ``excluded``, ``config`` (the line that excludes or keeps it).
    sentences : tuple of str
        One for each.
    notes : tuple of str
        One for each bulk write in a history.
    excluded : tuple of str
        Names that training must leave out.
    """

    leaks: tuple[dict[str, Any], ...] = ()
    sentences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


def audit(
    config: Config, engine: DuckDBEngine, tables: CanonicalTables, snapshots: Path
) -> AuditedLeaks:
    """Audit the leads of the training snapshots.

    Raises
    ------
    ConfigError
        ``features.known_when`` names a column that the data does not have.
    """
    features = config.features
    found = audit_leaks(
        engine,
        tables,
        snapshots,
        snapshot_plan(config),
        rules=ColumnRules(features.exclude, features.include, features.known_when),
        page_rules=page_rules(config),
    )
    columns = [leak.told for leak in found.leaks if leak.told in found.leads.columns]
    gains = leak_gains(found.leads, columns)
    return AuditedLeaks(
        leaks=tuple(_plain(leak, gains.get(leak.told)) for leak in found.leaks),
        sentences=tuple(_sentence(leak, gains.get(leak.told)) for leak in found.leaks),
        notes=found.notes,
        excluded=found.excluded,
    )


def audit_labelled(config: Config, engine: DuckDBEngine, tables: CanonicalTables) -> AuditedLeaks:
    """Audit leads where there are labels to audit them by; without any there is nothing to say."""
    dated = tables.has("leads", "created_at") and tables.has("outcomes", "closed_at")
    if not tables.is_flat and not dated:
        return AuditedLeaks()
    with engine.scratch() as scratch:
        snapshots = scratch / "snapshots.parquet"
        try:
            counts = training_snapshots(engine, tables, snapshot_plan(config), snapshots)
        except NotEnoughDataError:
            return AuditedLeaks()
        return audit(config, engine, tables, snapshots) if counts.rows else AuditedLeaks()


def _plain(leak: Leak, gain: float | None) -> dict[str, Any]:
    return {
        "table": leak.table,
        "column": leak.column,
        "verdict": leak.verdict,
        "reason": leak.reason,
        "evidence": leak.evidence,
        "auc_gain": gain,
        "excluded": leak.excluded,
        "config": leak.config,
    }


def _sentence(leak: Leak, gain: float | None) -> str:
    if gain is None:
        return leak.sentence
    return f"{leak.sentence} In a quick model of the other columns it changes AUC by {gain:+.3f}."
