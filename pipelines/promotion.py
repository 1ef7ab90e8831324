"""Promotion: who makes which decision version the champion, when and why, and the way back.

The alias ``champion`` in the registry is the authority: it moves whole and at once, and scoring
reads it at each run. The ledger is the history. A row is written before the alias moves and
completed after, so a crash in between leaves either the old champion or the new one, never a
mixture; which of them it was is read from the alias the next time, and the row says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Column, Integer, Row, String, Table, select, update

from leadlight.features.errors import LeadlightError, ModelNotFoundError

from .champion_story import decisions_markdown
from .config import Config
from .ledger import METADATA, open_ledger
from .registry import CHALLENGER, CHAMPION, Mandate, Registry, VersionEntry, registry_of

Action = Literal["train", "promote", "rollback", "keep"]

PROMOTED_BY = "leadlight.promoted_by"
PROMOTED_BECAUSE = "leadlight.promoted_because"
PROMOTED_AT = "leadlight.promoted_at"
KEPT_BECAUSE = "leadlight.kept_because"

_BEGUN, _DONE, _ABANDONED = "begun", "done", "abandoned"

_DECISIONS = Table(
    "champion_decisions",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("action", String, nullable=False),
    Column("from_version", Integer),
    Column("to_version", Integer),
    Column("decided_by", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("decided_at", String, nullable=False),  # ISO 8601, UTC
    Column("state", String, nullable=False),
)


@dataclass(frozen=True)
class ChampionDecision:
    """One decision about who is the champion.

    Attributes
    ----------
    action : {"train", "promote", "rollback", "keep"}
        ``keep``: a challenger did not pass the gate.
    from_version : int or None
        Champion before; None for the first one.
    to_version : int or None
        Champion after; of ``keep``, the challenger that did not become it, None if none was made.
    mandate : Mandate
    decided_at : datetime
        UTC.
    """

    action: Action
    from_version: int | None
    to_version: int | None
    mandate: Mandate
    decided_at: datetime

    def sentence(self) -> str:
        """Say what was decided, when, by whom and why."""
        before, after = self.from_version, self.to_version
        instead = f" in place of version {before}" if before is not None else ""
        what = {
            "train": f"version {after} became the champion{instead}",
            "promote": f"version {after} became the champion{instead}",
            "rollback": f"rolled back: version {after} is the champion again{instead}",
            "keep": f"version {before} stays the champion"
            + (f", version {after} was kept out" if after is not None else ""),
        }[self.action]
        who = f"{self.decided_at:%Y-%m-%d %H:%M} UTC, {self.mandate.by}"
        return f"{who}: {what}. Why: {self.mandate.reason}"

    def to_dict(self) -> dict[str, object]:
        """Return plain data for ``--json``."""
        return {
            "action": self.action,
            "from_version": self.from_version,
            "to_version": self.to_version,
            "by": self.mandate.by,
            "reason": self.mandate.reason,
            "decided_at": self.decided_at.isoformat(),
        }


def promote(
    config: Config, number: int | None, mandate: Mandate, *, action: Action = "promote"
) -> ChampionDecision:
    """Make a decision version the champion, whole and in one step.

    Parameters
    ----------
    config : Config
    number : int or None
        None: the challenger.
    mandate : Mandate
    action : {"promote", "train", "rollback"}

    Raises
    ------
    ModelNotFoundError
        There is no such version, no challenger, or its artefact cannot be read.
    LeadlightError
        It is the champion already.
    WorkspaceError
        Registry or ledger cannot be used; the champion stays as it was.
    """
    registry = registry_of(config)
    number = _challenger(registry) if number is None else number
    champion = registry.holder(CHAMPION)
    if number == champion:
        raise LeadlightError(
            f"decision version {number} is the champion already", hint="leadlight versions"
        )
    registry.version(number)  # one that cannot be read must not become the champion
    decision = ChampionDecision(action, champion, number, mandate, datetime.now(UTC))
    settle(config, registry)
    row = _written(config, decision, _BEGUN)
    registry.give(CHAMPION, number)
    _finish(config, registry, row, decision)
    if registry.holder(CHALLENGER) == number:
        registry.take(CHALLENGER)
    return decision


def roll_back(config: Config, mandate: Mandate) -> ChampionDecision:
    """Make that version the champion again which today's champion took the place of.

    Rolled back twice, it goes two champions back.

    Raises
    ------
    ModelNotFoundError
        There is no champion, or none before it that the ledger knows of.
    WorkspaceError
        Registry or ledger cannot be used; the champion stays as it was.
    """
    registry = registry_of(config)
    champion = registry.champion().number
    settle(config, registry)
    before = [
        each.from_version
        for each in champion_history(config)
        if each.to_version == champion and each.action in {"train", "promote"}
    ]
    if not before or before[0] is None:
        raise ModelNotFoundError(
            f"no champion before decision version {champion} is known",
            hint="Name the version that shall be it: leadlight promote VERSION (leadlight versions "
            "lists them).",
        )
    return promote(config, before[0], mandate, action="rollback")


def keep(config: Config, challenger: int | None, mandate: Mandate) -> ChampionDecision:
    """Write down that the champion stays, and why.

    Parameters
    ----------
    config : Config
    challenger : int or None
        Which did not become the champion; None: none was made.
    mandate : Mandate
    """
    champion = registry_of(config).holder(CHAMPION)
    decision = ChampionDecision("keep", champion, challenger, mandate, datetime.now(UTC))
    _written(config, decision, _DONE)
    registry = registry_of(config)
    if challenger is not None:
        registry.note(challenger, {KEPT_BECAUSE: mandate.reason})
    _tell_in_mlflow(config, registry, decision)
    return decision


def champion_history(config: Config) -> tuple[ChampionDecision, ...]:
    """Return all decisions about the champion that were carried out, the newest first."""
    with open_ledger(config) as ledger:
        rows = ledger.execute(
            select(_DECISIONS)
            .where(_DECISIONS.c.state == _DONE)
            .order_by(_DECISIONS.c.number.desc())
        ).all()
    return tuple(_read(row) for row in rows)


def versions(config: Config) -> tuple[VersionEntry, ...]:
    """List all decision versions, the newest first, once what a crash left open is settled."""
    registry = registry_of(config)
    found = registry.versions()
    if found:
        settle(config, registry)
    return found


def settle(config: Config, registry: Registry) -> None:
    """Complete decisions that a crash cut off: carried out if the alias moved, else abandoned."""
    with open_ledger(config) as ledger:
        begun = ledger.execute(
            select(_DECISIONS)
            .where(_DECISIONS.c.state == _BEGUN)
            .order_by(_DECISIONS.c.number.desc())
        ).all()
    if not begun:
        return
    newest, champion = _read(begun[0]), registry.holder(CHAMPION)
    carried_out = newest.to_version == champion
    if carried_out:
        _finish(config, registry, begun[0].number, newest)
    _stamp(config, [row.number for row in begun[1 if carried_out else 0 :]], _ABANDONED)


def _finish(config: Config, registry: Registry, row: int, decision: ChampionDecision) -> None:
    _stamp(config, [row], _DONE)
    assert decision.to_version is not None  # noqa: S101 - only `keep` has none
    registry.note(
        decision.to_version,
        {
            PROMOTED_BY: decision.mandate.by,
            PROMOTED_BECAUSE: decision.mandate.reason,
            PROMOTED_AT: decision.decided_at.isoformat(timespec="seconds"),
        },
    )
    _tell_in_mlflow(config, registry, decision)


def _tell_in_mlflow(config: Config, registry: Registry, decision: ChampionDecision) -> None:
    """Write all decisions on the model, and on both versions those that are about them."""
    history = champion_history(config)
    name = config.model_name
    registry.describe(decisions_markdown(name, [each.sentence() for each in history]))
    for number in {decision.from_version, decision.to_version} - {None}:
        mine = [e.sentence() for e in history if number in (e.from_version, e.to_version)]
        registry.describe(decisions_markdown(f"{name}, version {number}", mine), number)


def _challenger(registry: Registry) -> int:
    challenger = registry.holder(CHALLENGER)
    if challenger is None:
        raise ModelNotFoundError(
            "there is no challenger to promote",
            hint="Train one (leadlight retrain), or name a version that `leadlight versions` "
            "lists: leadlight promote VERSION",
        )
    return challenger


def _written(config: Config, decision: ChampionDecision, state: str) -> int:
    with open_ledger(config) as ledger:
        done = ledger.execute(
            _DECISIONS.insert().values(
                action=decision.action,
                from_version=decision.from_version,
                to_version=decision.to_version,
                decided_by=decision.mandate.by,
                reason=decision.mandate.reason,
                decided_at=decision.decided_at.isoformat(),
                state=state,
            )
        )
        key = done.inserted_primary_key
        assert key is not None  # noqa: S101 - one row was inserted
        return int(key[0])


def _stamp(config: Config, rows: Sequence[int], state: str) -> None:
    with open_ledger(config) as ledger:
        ledger.execute(update(_DECISIONS).where(_DECISIONS.c.number.in_(rows)).values(state=state))


def _read(row: Row[tuple[object, ...]]) -> ChampionDecision:
    return ChampionDecision(
        row.action,
        row.from_version,
        row.to_version,
        Mandate(row.decided_by, row.reason),
        datetime.fromisoformat(row.decided_at),
    )
