"""One lead's records, and its features under any supposition, by the nightly job's own kernel."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from types import TracebackType

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadlight.features.definition import FeatureDefinition
from leadlight.features.engines import DuckDBEngine
from leadlight.features.engines.lead_features import LeadFeatures, snapshots_at
from leadlight.features.engines.lead_records import LeadRecords, account_in
from leadlight.features.supposition import copies_of, id_of_copy
from leadlight.features.tables import CanonicalTables
from leadlight.models.decision import DecisionVersion
from leadlight.models.policies import SEGMENT_COLUMN
from leadlight.pipelines.config import Config
from leadlight.pipelines.workspace import Workspace


class LeadKernel(AbstractContextManager["LeadKernel"]):
    """What the workspace knows of one lead, and features of it as of any instant.

    Parameters
    ----------
    config : Config
    lead_id : str

    Attributes
    ----------
    lead_id : str
    account_id : str or None
    whole : CanonicalTables
        Of all leads.
    tables : dict of str to Table
        All records that the lead's features may depend on.
    engine : DuckDBEngine
        For small questions to the tables.
    """

    def __init__(self, config: Config, lead_id: str) -> None:
        workspace = Workspace(config.workspace_directory)
        self.lead_id = lead_id
        self.whole = CanonicalTables.kept_in(workspace.tables)
        self._features: dict[FeatureDefinition, LeadFeatures] = {}
        with ExitStack() as stack:
            self.engine = stack.enter_context(
                DuckDBEngine(memory_limit=config.memory_limit, temp_directory=workspace.root)
            )
            records = stack.enter_context(LeadRecords(self.whole, workspace.root, copied=False))
            self.tables = records.of(lead_id)
            self.account_id = account_in(self.tables["leads"], lead_id)
            self._open = stack.pop_all()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open.close()

    def frame(
        self, decision: DecisionVersion, tables: Mapping[str, pa.Table], as_of: datetime
    ) -> pd.DataFrame:
        """Return the lead's features as of an instant (UTC), from its records or supposed ones."""
        return self._frame(decision, tables, [self.lead_id], [self.account_id], as_of)

    def frames(
        self,
        decision: DecisionVersion,
        events: Sequence[pa.Table],
        as_of: datetime,
    ) -> pd.DataFrame:
        """Return the lead's features had it done different things, one row for each.

        Parameters
        ----------
        decision : DecisionVersion
        events : sequence of Table
            What it did besides, each time.
        as_of : datetime
        """
        count = len(events)
        tables = copies_of(self.tables, count)
        supposed = [
            each.set_column(
                each.column_names.index("lead_id"),
                "lead_id",
                pa.array([id_of_copy(self.lead_id, at)] * len(each), pa.string()),
            )
            for at, each in enumerate(events)
        ]
        tables["events"] = pa.concat_tables([tables["events"], *supposed])
        leads = [id_of_copy(self.lead_id, at) for at in range(count)]
        accounts = [
            None if self.account_id is None else id_of_copy(self.account_id, at)
            for at in range(count)
        ]
        found = self._frame(decision, tables, leads, accounts, as_of)
        return found.set_index("lead_id", drop=False).loc[leads]

    def _frame(
        self,
        decision: DecisionVersion,
        tables: Mapping[str, pa.Table],
        leads: Sequence[str],
        accounts: Sequence[str | None],
        as_of: datetime,
    ) -> pd.DataFrame:
        features = self._features.get(decision.definition)
        if features is None:
            features = self._open.enter_context(LeadFeatures(decision.definition))
            self._features[decision.definition] = features
        frame: pd.DataFrame = features.compute(
            tables, snapshots_at(leads, accounts, as_of)
        ).to_pandas()
        by = decision.threshold.by
        return frame if by is None else frame.assign(**{SEGMENT_COLUMN: self._own(by)})

    def _own(self, column: str) -> str | None:
        own = self.tables["leads"].filter(pc.equal(self.tables["leads"]["lead_id"], self.lead_id))
        value = own[column][0].as_py() if own.num_rows and column in own.column_names else None
        return None if value is None else str(value)
