"""The outbox: what each sink has, what waits for it, and what it refused, in the ledger."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    select,
    update,
)

from leadlight.pipelines.ledger import METADATA

from .fields import Standing

_SENT = Table(
    "delivery_sent",
    METADATA,
    Column("sink", String(200), primary_key=True),
    Column("lead_id", String(200), primary_key=True),
    Column("score", Integer, nullable=False),
    Column("grade", String(20), nullable=False),
    Column("state", String(50), nullable=False),
    Column("fingerprint", String(32), nullable=False),
    Column("sent_at", DateTime(timezone=True), nullable=False),
)
_WAITING = Table(
    "delivery_waiting",
    METADATA,
    Column("sink", String(200), primary_key=True),
    Column("lead_id", String(200), primary_key=True),
    Column("score", Integer, nullable=False),
    Column("grade", String(20), nullable=False),
    Column("state", String(50), nullable=False),
    Column("fingerprint", String(32), nullable=False),
    Column("change_key", String(32), nullable=False),
    Column("batch", String(32)),
    Column("attempts", Integer, nullable=False),
    Column("refused", Text),
)
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Waiting:
    """A change that a sink has not confirmed.

    Attributes
    ----------
    standing : Standing
    key : str
        Names this change and no other, through every attempt.
    batch : str or None
        With which others it was sent; None if it never was.
    attempts : int
        How often the lead was sent since the sink last confirmed: more than none, and it is not
        known what the sink has.
    refused : str or None
        What the sink said, if it will not have it: a dead letter.
    """

    standing: Standing
    key: str
    batch: str | None = None
    attempts: int = 0
    refused: str | None = None


@dataclass(frozen=True)
class Contents:
    """A sink's part of the outbox.

    Attributes
    ----------
    sent : mapping of str to Standing
        What the sink has, by lead.
    waiting : mapping of str to Waiting
    """

    sent: Mapping[str, Standing]
    waiting: Mapping[str, Waiting]


@dataclass(frozen=True)
class Plan:
    """What has to be done so that a sink knows where every lead stands.

    Attributes
    ----------
    send : tuple of Waiting
        In the order of their worth: changed states first, then the higher scores.
    added : tuple of Waiting
        Of these, those that the outbox does not hold yet, or holds differently.
    dropped : tuple of str
        Leads that have nothing to wait for any more.
    forgotten : tuple of str
        Of these, those of which it is not known what the sink has.
    before : mapping of str to Standing
        What the sink has.
    """

    send: tuple[Waiting, ...]
    added: tuple[Waiting, ...]
    dropped: tuple[str, ...]
    forgotten: tuple[str, ...]
    before: Mapping[str, Standing]

    def changes_state(self, change: Waiting) -> bool:
        """Say whether the sink would learn of another state; who is new to it was a lead."""
        before = self.before.get(change.standing.lead_id)
        return change.standing.state != (before.state if before else "lead")

    @property
    def share_changing_state(self) -> float:
        """Of the leads that the sink knows, the share whose state would change."""
        known = [change for change in self.send if change.standing.lead_id in self.before]
        return sum(map(self.changes_state, known)) / max(len(self.before), 1)


def plan(contents: Contents, standings: Iterable[Standing]) -> Plan:
    """Compare where leads stand with what a sink has and what waits for it.

    A change that may have reached the sink without our learning of it is never taken for unsent:
    if the lead has moved on since, even back to where it was, it becomes a new change with a new
    key.

    Parameters
    ----------
    contents : Contents
    standings : iterable of Standing
        Of all leads that may be delivered.
    """
    send, added, unwanted = [], [], dict(contents.waiting)
    for standing in standings:
        waiting = unwanted.pop(standing.lead_id, None)
        change = _change(standing, contents.sent.get(standing.lead_id), waiting)
        if change is None:
            if waiting is not None:
                unwanted[standing.lead_id] = waiting
        elif change is not waiting:
            added.append(change)
            send.append(change)
        elif change.refused is None:
            send.append(change)
    planned = Plan((), tuple(added), tuple(unwanted), _uncertain(unwanted), contents.sent)
    return replace(planned, send=tuple(sorted(send, key=lambda change: _worth(planned, change))))


def _change(standing: Standing, sent: Standing | None, waiting: Waiting | None) -> Waiting | None:
    """Return the change that a lead needs: the one that waits, a new one, or none."""
    has_it = sent is not None and sent.fingerprint == standing.fingerprint
    if waiting is None:
        return None if has_it else Waiting(standing, uuid4().hex)
    if waiting.standing.fingerprint == standing.fingerprint:
        return waiting
    if has_it and not waiting.attempts:
        return None
    return Waiting(standing, uuid4().hex, attempts=waiting.attempts)


def _uncertain(dropped: Mapping[str, Waiting]) -> tuple[str, ...]:
    return tuple(lead for lead, waiting in dropped.items() if waiting.attempts)


def _worth(planned: Plan, change: Waiting) -> tuple[bool, int, str]:
    return (
        not planned.changes_state(change),
        -change.standing.score,
        change.standing.lead_id,
    )


def read_outbox(ledger: Connection, sink: str) -> Contents:
    """Read a sink's part of the outbox."""
    sent = ledger.execute(_SENT.select().where(_SENT.c.sink == sink))
    waiting = ledger.execute(_WAITING.select().where(_WAITING.c.sink == sink))
    return Contents(
        {row.lead_id: _standing(row) for row in sent},
        {
            row.lead_id: Waiting(
                _standing(row), row.change_key, row.batch, row.attempts, row.refused
            )
            for row in waiting
        },
    )


def queue(ledger: Connection, sink: str, planned: Plan) -> None:
    """Put into the outbox what a plan adds, and take out what it drops."""
    _remove(ledger, _WAITING, sink, planned.dropped)
    _remove(ledger, _SENT, sink, planned.forgotten)
    _remove(ledger, _WAITING, sink, [change.standing.lead_id for change in planned.added])
    if planned.added:
        ledger.execute(
            _WAITING.insert(),
            [
                {
                    "sink": sink,
                    **_columns(change.standing),
                    "change_key": change.key,
                    "batch": None,
                    "attempts": change.attempts,
                    "refused": None,
                }
                for change in planned.added
            ],
        )


def begin(ledger: Connection, sink: str, batch: str, changes: Sequence[Waiting]) -> None:
    """Note, before it is sent, that a batch may arrive."""
    ledger.execute(
        update(_WAITING)
        .where(_WAITING.c.sink == sink, _WAITING.c.lead_id == bindparam("lead"))
        .values(batch=batch, attempts=_WAITING.c.attempts + 1),
        [{"lead": change.standing.lead_id} for change in changes],
    )


def settle(
    ledger: Connection,
    sink: str,
    delivered: Sequence[Standing],
    refused: Mapping[str, str],
) -> None:
    """Note what a sink has confirmed and, by lead with its own message, what it refused."""
    leads = [standing.lead_id for standing in delivered]
    _remove(ledger, _WAITING, sink, leads)
    _remove(ledger, _SENT, sink, leads)
    if delivered:
        now = datetime.now(UTC)
        ledger.execute(
            _SENT.insert(),
            [{"sink": sink, **_columns(standing), "sent_at": now} for standing in delivered],
        )
    if refused:
        ledger.execute(
            update(_WAITING)
            .where(_WAITING.c.sink == sink, _WAITING.c.lead_id == bindparam("lead"))
            .values(refused=bindparam("message")),
            [{"lead": lead, "message": message} for lead, message in refused.items()],
        )


def still_waiting(ledger: Connection, sink: str) -> tuple[int, dict[str, str]]:
    """Return how many changes wait for a sink, and its dead letters: its words by lead."""
    mine = _WAITING.c.sink == sink
    rows = ledger.execute(
        select(_WAITING.c.lead_id, _WAITING.c.refused)
        .where(mine, _WAITING.c.refused.is_not(None))
        .order_by(_WAITING.c.lead_id)
    )
    dead = {row.lead_id: row.refused for row in rows}
    waiting = ledger.execute(
        select(func.count()).select_from(_WAITING).where(mine, _WAITING.c.refused.is_(None))
    ).scalar_one()
    return waiting, dead


def give_another_chance(ledger: Connection, sink: str) -> None:
    """Let a sink's dead letters wait again, as new changes: receivers may remember the key."""
    dead = ledger.execute(
        select(_WAITING.c.lead_id).where(_WAITING.c.sink == sink, _WAITING.c.refused.is_not(None))
    ).scalars()
    again = [{"lead": lead, "key": uuid4().hex} for lead in dead]
    if again:
        ledger.execute(
            update(_WAITING)
            .where(_WAITING.c.sink == sink, _WAITING.c.lead_id == bindparam("lead"))
            .values(refused=None, batch=None, change_key=bindparam("key")),
            again,
        )


def _remove(ledger: Connection, table: Table, sink: str, leads: Sequence[str]) -> None:
    for start in range(0, len(leads), _AT_ONCE):
        some = leads[start : start + _AT_ONCE]
        ledger.execute(delete(table).where(table.c.sink == sink, table.c.lead_id.in_(some)))


def _standing(row: object) -> Standing:
    return Standing(*(getattr(row, name) for name in Standing.__slots__))


def _columns(standing: Standing) -> dict[str, object]:
    return {name: getattr(standing, name) for name in Standing.__slots__}
