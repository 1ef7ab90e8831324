"""The lifecycle in a scoring run: every lead's next status, as scores pass by part after part."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadlight.features.engines import DuckDBEngine
from leadlight.features.lead_facts import lead_facts
from leadlight.features.sql import parquet, parquet_files, parquet_parts
from leadlight.features.tables import CanonicalTables
from leadlight.models.decision import DecisionVersion
from leadlight.models.exploration import drawn_to_explore
from leadlight.models.lifecycle import Facts, Floats, Status, Times, Verdicts, next_status
from leadlight.models.states import STATES, codes_of, names_of
from leadlight.models.transitions import REASON_IDS, TRANSITIONS, Run, transition_log

from .config import Config
from .status import (
    STATUS,
    LifecycleRun,
    run_before,
    status_folder,
    status_mark,
    status_parts,
    unknown_states,
)
from .workspace import Workspace

_AT_ONCE = 500_000
_BEFORE = ("state", "state_since", "state_reason", "explored", "propensity")


def gather_inputs(
    config: Config,
    engine: DuckDBEngine,
    tables: CanonicalTables,
    as_of: datetime,
    path: Path,
) -> tuple[str, ...]:
    """Write the facts of every lead beside its status after the run before; return notes.

    Raises
    ------
    ConfigError
        A rule of ``lifecycle`` speaks of columns that leads do not have.
    SchemaMismatchError
        The earlier status is another project's or a newer leadlight's.
    WorkspaceError
        The earlier status is gone.
    """
    facts = lead_facts(engine, tables, as_of, config.lifecycle.fact_rules())
    earlier = run_before(config, as_of)
    before = ", ".join(f"b.{name} AS before_{name}" for name in _BEFORE)
    nobody = ", ".join(f"{_null(name)} AS {name}" for name in STATUS.names)
    status = f"SELECT {nobody} WHERE FALSE"
    if earlier is not None:
        folder = status_folder(Workspace(config.workspace_directory), earlier.as_of)
        status = f"SELECT * FROM {parquet_files(status_parts(folder, config.project))}"
    engine.write_parquet(
        f"SELECT f.*, {before} FROM ({facts}) f LEFT JOIN ({status}) b USING (lead_id)", path
    )
    ((gone,),) = engine.rows(
        f"SELECT count(*) FROM ({status}) ANTI JOIN {parquet(path)} USING (lead_id)"
    )
    if not gone:
        return ()
    return (f"{gone:,} leads of the run before are no longer among the leads; so is their state.",)


def _null(name: str) -> str:
    kinds = {"state_since": "TIMESTAMPTZ", "explored": "BOOLEAN", "propensity": "DOUBLE"}
    return f"NULL::{kinds.get(name, 'VARCHAR')}"


@dataclass
class LeadStates:
    """Writes status and transitions of one run, scored leads part by part, then all others.

    Attributes
    ----------
    config : Config
    engine : DuckDBEngine
    inputs : Path
        As ``gather_inputs`` wrote it.
    folder : Path
        Where to write.
    decision : DecisionVersion
    as_of : datetime
    decision_version, definition_version : int
    """

    config: Config
    engine: DuckDBEngine
    inputs: Path
    folder: Path
    decision: DecisionVersion
    as_of: datetime
    decision_version: int
    definition_version: int
    _parts: int = 0
    _leads: int = 0
    _moves: Counter[str] = field(default_factory=Counter)
    _log: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        self._log = pq.ParquetWriter(
            self.folder / "transitions.parquet", TRANSITIONS, compression="zstd"
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._log is not None:
            self._log.close()

    def decided(self, decided: pd.DataFrame, least: Floats | float) -> pd.DataFrame:
        """Return scored leads with their states, which are written too.

        Parameters
        ----------
        decided : DataFrame of n rows
            What ``DecisionVersion.decide`` gives.
        least : float or array of shape (n,)
            Probability from which each is an MQL.

        Returns
        -------
        DataFrame of n rows, in the same order
            With ``state``, ``previous_state``, ``state_since``, ``state_reason``, ``explored``.
        """
        rows = pa.table({"lead_id": decided["lead_id"], "row": np.arange(len(decided))})
        with self.engine.registered("scored_leads", rows):
            inputs = self.engine.table(
                f"SELECT i.* FROM {parquet(self.inputs)} i JOIN scored_leads s USING (lead_id)"
                " ORDER BY s.row"
            )
        floors = self.decision.floors
        verdicts = Verdicts.of(
            decided["probability"].to_numpy(dtype=np.float64),
            tuple(
                decided[f"{family}_percentile"].to_numpy(dtype=np.float64, na_value=np.nan)
                for family in ("fit", "engagement")
            ),
            threshold=least,
            floors=(floors.fit, floors.engagement),
            hysteresis=self.config.lifecycle.hysteresis,
        )
        status = self._step(inputs, verdicts)
        columns = ("state", "previous_state", "state_since", "state_reason", "explored")
        return decided.assign(**{name: status[name].to_pandas() for name in columns})

    def others(self) -> None:
        """Move the leads that were not scored: customers, open deals, those that cool down."""
        unscored = f"SELECT i.* FROM {parquet(self.inputs)} i"
        if self._parts:
            scored = parquet_parts(self.folder).replace("/*.parquet", "/status-*.parquet")
            unscored += f" ANTI JOIN {scored} s USING (lead_id)"
        for batch in self.engine.batches(f"{unscored} ORDER BY lead_id", rows=_AT_ONCE):
            if batch.num_rows:
                self._step(pa.Table.from_batches([batch]), _no_verdicts(batch.num_rows))
        if not self._parts:
            self._write(STATUS.empty_table())

    def finished(self) -> LifecycleRun:
        """Return what the ledger is to know of the run."""
        return LifecycleRun(
            as_of=self.as_of,
            decision_version=self.decision_version,
            definition_version=self.definition_version,
            leads=self._leads,
            moves=dict(sorted(self._moves.items())),
        )

    def _step(self, inputs: pa.Table, verdicts: Verdicts) -> pa.Table:
        settings = self.config.lifecycle
        exploration = settings.exploration
        now = np.datetime64(self.as_of.astimezone(UTC).replace(tzinfo=None), "us")
        lead_id = inputs["lead_id"].combine_chunks()
        previous, facts = _previous(inputs, self.folder), _facts(inputs)
        status = next_status(
            previous,
            facts,
            verdicts,
            settings.rules(self.config.label.cooldown_days),
            as_of=now,
            drawn=drawn_to_explore(
                lead_id.to_numpy(zero_copy_only=False),
                as_of=now,
                share=exploration.share,
                period_days=exploration.period_days,
                seed=self.config.seed,
            ),
        )
        run = Run(
            now, self.decision_version, self.definition_version, settings.fact_rules().rule_names
        )
        reasons = inputs["verdict_reason"].combine_chunks()
        log = transition_log(
            lead_id, previous, status, facts, verdicts, reasons, run, self.config.wording
        )
        table = pa.table(
            [
                lead_id,
                names_of(status.state, STATES),
                names_of(previous.state, STATES),
                pa.array(status.since).cast(STATUS.field("state_since").type),
                names_of(status.reason, REASON_IDS),
                pa.array(status.explored),
                pa.array(status.propensity, mask=np.isnan(status.propensity)),
            ],
            schema=STATUS,
        )
        self._write(table)
        self._enter(log)
        return table

    def _write(self, table: pa.Table) -> None:
        marked = table.replace_schema_metadata(status_mark(self.config.project))
        path = self.folder / f"status-{self._parts:05d}.parquet"
        pq.write_table(marked, path, compression="zstd")
        self._parts += 1
        self._leads += table.num_rows

    def _enter(self, log: pa.Table) -> None:
        if self._log is not None and log.num_rows:
            self._log.write_table(log)
            moves = pc.binary_join_element_wise(log["from_state"], log["to_state"], ">")
            for each in moves.value_counts().to_pylist():
                self._moves[each["values"]] += each["counts"]


def _previous(inputs: pa.Table, folder: Path) -> Status:
    state = codes_of(inputs["before_state"], STATES)
    reason = codes_of(inputs["before_state_reason"], REASON_IDS)
    if (state < -1).any() or (reason < -1).any():
        raise unknown_states(folder.parent, inputs["before_state"])
    return Status(
        state=state,
        since=_times(inputs["before_state_since"]),
        reason=reason,
        explored=_flags(inputs["before_explored"]),
        propensity=inputs["before_propensity"].cast(pa.float64()).fill_null(np.nan).to_numpy(),
    )


def _facts(inputs: pa.Table) -> Facts:
    return Facts(
        created_at=_times(inputs["created_at"]),
        last_activity_at=_times(inputs["last_activity_at"]),
        hand_raised_at=_times(inputs["hand_raised_at"]),
        won_at=_times(inputs["won_at"]),
        lost_at=_times(inputs["lost_at"]),
        accepted_at=_times(inputs["accepted_at"]),
        rejected_at=_times(inputs["rejected_at"]),
        open_deal=_flags(inputs["open_deal"]),
        disqualified=_flags(inputs["disqualified"]),
        unsubscribed=_flags(inputs["unsubscribed"]),
        bad_fit=inputs["bad_fit"].to_numpy().astype(np.int8),
        crm_state=codes_of(inputs["crm_state"], STATES),
    )


def _times(column: pa.ChunkedArray) -> Times:
    plain = column.cast(pa.timestamp("us", tz="UTC")).cast(pa.timestamp("us"))
    return np.asarray(plain.to_numpy(), dtype="datetime64[us]")


def _flags(column: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.asarray(column.cast(pa.bool_()).fill_null(False).to_numpy(), dtype=bool)


def _no_verdicts(rows: int) -> Verdicts:
    no = np.zeros(rows, dtype=bool)
    return Verdicts(np.full(rows, np.nan), no, no, no)
