"""Scores between nights: one lead, while somebody waits, through the nightly job's own kernel."""

import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadlight.features.engines.lead_features import LeadFeatures, snapshots_at
from leadlight.features.engines.lead_records import LeadRecords, account_in
from leadlight.features.errors import ConfigError, DataQualityError
from leadlight.features.funnel import HAND_RAISE, funnel_stage
from leadlight.features.rows import table_of_rows
from leadlight.features.tables import CanonicalTables
from leadlight.features.taxonomy import feature_name
from leadlight.models.policies import SEGMENT_COLUMN

from .config import Config
from .registry import RegisteredVersion, registry_of
from .workspace import Workspace


@dataclass(frozen=True)
class News:
    """What somebody sends of a lead; the rest is what the last run of the door knew.

    Attributes
    ----------
    lead : mapping
        Columns of ``leads``; ``lead_id`` at least, and ``created_at`` of a lead that is new.
    account : mapping
        Columns of ``accounts``, ``account_id`` among them; empty: as known.
    events : sequence of mapping
        Columns of ``events``; without ``lead_id`` they are the lead's own.
    """

    lead: Mapping[str, Any]
    account: Mapping[str, Any] = field(default_factory=dict)
    events: Sequence[Mapping[str, Any]] = ()


class LiveScores(AbstractContextManager["LiveScores"]):
    """Scores single leads with the champion and what the workspace knows of them.

    Parameters
    ----------
    config : Config

    Raises
    ------
    ModelNotFoundError
        Nothing was trained yet.
    ConfigError
        The project is a flat table, whose rows have no time, or its tables were never read.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._known = _Known.of(config, registry_of(config).champion())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._known.close()

    @property
    def version(self) -> int:
        """Number of the decision version that scores."""
        return self._known.champion.number

    def refresh(self) -> bool:
        """Take up a new champion or new tables, and say whether there were any.

        Leads are scored by the earlier ones until the new ones are ready.
        """
        champion = registry_of(self._config).champion()
        if champion.number == self.version and _age(self._config) == self._known.age:
            return False
        fresh = _Known.of(self._config, champion)
        with self._lock:
            earlier, self._known = self._known, fresh
        earlier.close()
        return True

    def score(self, news: News, as_of: datetime) -> dict[str, Any]:
        """Score a lead as of an instant (UTC): what the nightly job would say of it then.

        Events at or after it are not seen, and are counted as ``events_not_seen``.

        Raises
        ------
        DataQualityError
            A value is missing or has the wrong type, or a column is not known.
        """
        with self._lock:
            return self._known.score(news, as_of)


@dataclass(frozen=True, eq=False)
class _Known:
    """A champion, and the records of every lead as one run of the door left them."""

    champion: RegisteredVersion
    features: LeadFeatures
    records: LeadRecords
    age: int
    _open: ExitStack

    @classmethod
    def of(cls, config: Config, champion: RegisteredVersion) -> "_Known":
        workspace, age = Workspace(config.workspace_directory), _age(config)
        tables = CanonicalTables.kept_in(workspace.tables)
        if tables.is_flat or not tables.columns:
            raise ConfigError(
                "single leads are scored in time, and a flat table (`leads.won`) has none"
                if tables.columns
                else f"no tables were read into {workspace.tables} yet",
                hint="Score the table with `leadlight score`."
                if tables.columns
                else "Run `leadlight score` once.",
            )
        with ExitStack() as stack:
            features = stack.enter_context(LeadFeatures(champion.decision.definition))
            records = stack.enter_context(LeadRecords(tables, workspace.root))
            features.learn_titles(records.titles())
            return cls(champion, features, records, age, stack.pop_all())

    def close(self) -> None:
        self._open.close()

    def score(self, news: News, as_of: datetime) -> dict[str, Any]:
        lead_id = _lead_id(news)
        account_id = news.lead.get("account_id")
        known = self.records.of(lead_id, account_id)
        account_id = account_id or account_in(known["leads"], lead_id)
        rows = {**known, "leads": self._leads(known["leads"], news, lead_id, account_id)}
        if news.account:
            account = {"account_id": account_id, **news.account}
            rows["accounts"] = self._rows("accounts", [account])
        unseen = 0
        if news.events:
            events = self._rows("events", [_of_lead(each, lead_id) for each in news.events])
            unseen = pc.sum(pc.greater_equal(events["occurred_at"], pa.scalar(as_of))).as_py()
            rows["events"] = pa.concat_tables([known["events"], events])
        snapshot = snapshots_at([lead_id], [account_id], as_of)
        frame = self.features.compute(rows, snapshot).to_pandas()
        decided = self.champion.decision.decide(self._with_segment(frame, rows["leads"]))
        return {
            **{str(name): value for name, value in decided.to_dict("records")[0].items()},
            "as_of": as_of.isoformat(),
            "known": lead_id in known["leads"]["lead_id"].to_pylist(),
            "hand_raise": _raised_hand(rows.get("events"), lead_id, as_of),
            "events_not_seen": unseen,
            "decision_version": self.champion.number,
            "uncalibrated": self.champion.decision.uncalibrated,
            "reasons_are": self.champion.decision.reasons_are,
        }

    def _with_segment(self, frame: pd.DataFrame, leads: pa.Table) -> pd.DataFrame:
        """Add the segment of the lead, where the threshold differs by segment."""
        by = self.champion.decision.threshold.by
        if by is None or by not in leads.column_names:
            return frame
        known = leads.select(["lead_id", by]).to_pandas().set_index("lead_id")[by]
        segment = frame["lead_id"].map(known.where(known.isna(), known.astype(str)))
        return frame.assign(**{SEGMENT_COLUMN: segment.astype(object)})

    def _leads(self, known: pa.Table, news: News, lead_id: str, account_id: str | None) -> pa.Table:
        """Put what was sent over what is known of the lead."""
        is_own = pc.equal(known["lead_id"], lead_id)
        own = known.filter(is_own).to_pylist()
        before = {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in (own[0] if own else {}).items()
        }
        if account_id is not None:
            before["account_id"] = account_id
        given = {**before, **news.lead, "lead_id": lead_id}
        if not given.get("created_at"):
            raise DataQualityError(
                f"lead '{lead_id}' is not known.",
                hint="Send its created_at and its profile too, or score after the next night.",
            )
        merged = self._rows("leads", [given])
        return pa.concat_tables([known.filter(pc.invert(is_own)), merged])

    def _rows(self, table: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
        if table not in self.records.columns:
            raise DataQualityError(
                f"the project has no table '{table}'",
                hint=f"Tables: {', '.join(self.records.columns)}.",
            )
        return table_of_rows(table, rows, self.records.schema(table))


def _lead_id(news: News) -> str:
    lead_id = news.lead.get("lead_id")
    if isinstance(lead_id, bool) or not isinstance(lead_id, str | int) or not str(lead_id).strip():
        raise DataQualityError("lead: 'lead_id' is missing.")
    return str(lead_id).strip()


def _of_lead(event: Mapping[str, Any], lead_id: str) -> Mapping[str, Any]:
    return event if event.get("account_id") else {"lead_id": lead_id, **event}


def _raised_hand(events: pa.Table | None, lead_id: str, as_of: datetime) -> bool:
    """Say whether the lead ever asked for sales before an instant."""
    if events is None:
        return False
    seen = pc.and_(
        pc.equal(events["lead_id"], lead_id), pc.less(events["occurred_at"], pa.scalar(as_of))
    )
    kinds = events.filter(seen)["event_type"].unique().to_pylist()
    return any(funnel_stage(feature_name(kind)) == HAND_RAISE for kind in kinds)


def _age(config: Config) -> int:
    """Return when the door last wrote its tables, in nanoseconds."""
    door = Workspace(config.workspace_directory).root / "door.json"
    return door.stat().st_mtime_ns if door.is_file() else 0
