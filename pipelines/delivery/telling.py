"""Telling one sink: queued first, sent in batches, and noted batch by batch."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc

from leadlight.features.errors import DeliveryError, MissingExtraError
from leadlight.pipelines.config import Config
from leadlight.pipelines.config_delivery import AnySink
from leadlight.pipelines.ledger import open_ledger
from leadlight.pipelines.progress import Told

from .files import FileSink
from .outbox import Plan, Waiting, begin, queue, settle
from .patience import send_patiently
from .sink import Batch, Message, Outcome
from .sinks import open_sink


class ScoredLeads:
    """The newest scores of the leads that may be delivered.

    Parameters
    ----------
    scores : pyarrow.Table
        From ``deliverable``.
    left : pyarrow.Table
        From ``unscored``.
    """

    def __init__(self, scores: pa.Table, left: pa.Table) -> None:
        self.table, self.unscored = scores, left
        self._all = pa.concat_tables([scores, left])
        self._row = {lead: row for row, lead in enumerate(self._all["lead_id"].to_pylist())}

    @property
    def as_of(self) -> datetime | None:
        """Of the scores, UTC; None for a flat table, or where there are none."""
        moment: datetime | None = pc.max(self.table["as_of"]).as_py()
        return moment

    def messages(self, changes: Sequence[Waiting]) -> tuple[Message, ...]:
        """Return changes as they are sent."""
        rows: list[dict[str, Any]] = self._all.take(
            [self._row[change.standing.lead_id] for change in changes]
        ).to_pylist()
        return tuple(
            Message(change.key, change.standing.lead_id, row)
            for change, row in zip(changes, rows, strict=True)
        )


@dataclass
class Tally:
    """What came of telling a sink.

    Attributes
    ----------
    delivered, refused : int
    problem : str
        Why it was left before its end; empty if it was not.
    """

    delivered: int = 0
    refused: int = 0
    problem: str = ""


def write_snapshot(config: Config, sink: FileSink, planned: Plan, leads: ScoredLeads) -> Tally:
    """Write all leads into a file, and note that it has them."""
    try:
        sink.write(leads.table)
    except (DeliveryError, MissingExtraError) as error:
        return Tally(problem=str(error))
    with open_ledger(config) as ledger:
        queue(ledger, sink.name, planned)
        settle(ledger, sink.name, [change.standing for change in planned.send], {})
    return Tally(delivered=len(planned.send))


def tell(
    config: Config,
    settings: AnySink,
    changes: Sequence[Waiting],
    leads: ScoredLeads,
    told: Told,
) -> Tally:
    """Send changes that are in the outbox, batch by batch, until all are settled or one fails.

    Before a batch goes out the ledger says that it may arrive; after each answer it says what the
    sink has. A run that is killed in between sends the batch again, with the same number and keys.

    Parameters
    ----------
    config : Config
    settings : AnySink
    changes : sequence of Waiting
    leads : ScoredLeads
    told : callable
        Told how many of the changes are done.
    """
    tally = Tally()
    try:
        with closing(open_sink(settings, config)) as sink:
            for number, some in _batches(changes, sink.batch_size):
                with open_ledger(config) as ledger:
                    begin(ledger, settings.name, number, some)
                batch = Batch(number, leads.as_of, leads.messages(some))
                settling = partial(_settle, config, settings.name, some, tally)
                attempts = getattr(settings, "attempts", 1)
                tally.problem = send_patiently(sink, batch, attempts, settling)
                told(tally.delivered + tally.refused, len(changes))
                if tally.problem:
                    break
    except (DeliveryError, MissingExtraError) as error:
        tally.problem = str(error)
    return tally


def _batches(changes: Sequence[Waiting], size: int) -> Iterator[tuple[str, list[Waiting]]]:
    """Give the batches of a run that was killed as they were, then new ones."""
    started: dict[str, list[Waiting]] = {}
    fresh = []
    for change in changes:
        if change.batch is None:
            fresh.append(change)
        else:
            started.setdefault(change.batch, []).append(change)
    yield from started.items()
    for start in range(0, len(fresh), size):
        yield uuid4().hex, fresh[start : start + size]


def _settle(
    config: Config,
    sink: str,
    changes: Sequence[Waiting],
    tally: Tally,
    outcomes: Sequence[Outcome],
) -> None:
    if not outcomes:
        return
    standing = {change.standing.lead_id: change.standing for change in changes}
    arrived = [standing[each.lead_id] for each in outcomes if each.kind == "delivered"]
    refused = {each.lead_id: each.said for each in outcomes if each.kind == "refused"}
    with open_ledger(config) as ledger:
        settle(ledger, sink, arrived, refused)
    tally.delivered += len(arrived)
    tally.refused += len(refused)
