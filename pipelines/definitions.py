"""Definitions: each agreement on what an MQL is, with who made it, when, why, and until when.

They live in the ledger, and are never rewritten. A definition is a policy and its floors; its
threshold is the answer that a model's held-out window gave when it was made. Of the configuration
and a saved definition the newer one holds: a definition saved by ``leadlight threshold --save``
holds until the configuration's ``mql`` changes.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Column, Connection, Date, DateTime, Float, Integer, String, Table, Text

from leadlight.features.errors import SchemaMismatchError
from leadlight.models.decision import DecisionVersion
from leadlight.models.policies import Floors, Policy, policy_from_dict

from .config import Config
from .config_mql import AGREED
from .ledger import METADATA, ledger_exists, open_ledger
from .policy import floors_of, policy_of

FROM_CONFIGURATION = "leadlight.yaml"
"""Author of a definition that the configuration gave."""

# Raised whenever an older leadlight could misread a definition.
FORMAT_VERSION = 1

_DEFINITIONS = Table(
    "definitions",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("format_version", Integer, nullable=False),
    Column("decision_version", Integer, nullable=False),
    Column("policy", Text, nullable=False),
    Column("floors", Text, nullable=False),
    Column("configured", Text, nullable=False),
    Column("threshold", Float, nullable=False),
    Column("words", Text, nullable=False),
    Column("author", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("owner", String),
    Column("decided_at", DateTime(timezone=True), nullable=False),
    Column("review_on", Date, nullable=False),
    Column("base_rate", Float),
    Column("mqls_per_week", Float),
    Column("precision", Float),
)


@dataclass(frozen=True)
class Definition:
    """One agreement on what an MQL is.

    Attributes
    ----------
    number : int
        1, 2, 3, ... in order of agreement.
    decision_version : int
        The first that decided by it.
    policy : dict
    floors : dict of str to float
    threshold : float
    words : str
        The definition in one sentence.
    author, reason : str
    owner : str or None
        Who answers for it.
    decided_at : datetime
        UTC.
    review_on : date
        When it is due to be looked at again.
    base_rate, mqls_per_week, precision : float or None
        Of the held-out window when it was made.
    """

    number: int
    decision_version: int
    policy: dict[str, Any]
    floors: dict[str, float]
    threshold: float
    words: str
    author: str
    reason: str
    owner: str | None
    decided_at: datetime
    review_on: date
    base_rate: float | None
    mqls_per_week: float | None
    precision: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for a machine; times and dates are ISO 8601."""
        return asdict(self) | {
            "decided_at": self.decided_at.isoformat(timespec="seconds"),
            "review_on": self.review_on.isoformat(),
        }


@dataclass(frozen=True)
class Agreement:
    """The policy and floors that hold now.

    Attributes
    ----------
    policy : Policy
    floors : Floors
    definition : Definition or None
        The saved one that holds; None: the configuration's, which is not in the ledger yet.
    """

    policy: Policy
    floors: Floors
    definition: Definition | None

    @property
    def notes(self) -> tuple[str, ...]:
        """Say where the policy comes from, if it is not the configuration."""
        told = self.definition
        if told is None or told.author == FROM_CONFIGURATION:
            return ()
        return (
            f"The MQL policy is that of definition {told.number}, which {told.author} saved on "
            f"{told.decided_at:%Y-%m-%d}; it holds until `mql` in leadlight.yaml changes.",
        )


def agreed_definition(config: Config) -> Agreement:
    """Return the policy and floors that hold: the newest saved ones, or the configuration's.

    Raises
    ------
    SchemaMismatchError
        A newer leadlight wrote the newest definition, or the ledger is another project's.
    WorkspaceError
        The ledger cannot be read.
    """
    newest = None
    if ledger_exists(config):
        with open_ledger(config) as ledger:
            newest = _newest(ledger)
    if newest is None or newest[1] != _configured(config):
        return Agreement(policy_of(config), floors_of(config), None)
    definition = newest[0]
    return Agreement(policy_from_dict(definition.policy), Floors(**definition.floors), definition)


def review_day(config: Config) -> date:
    """Return the day on which a definition that is made today is due to be looked at again."""
    return datetime.now(UTC).date() + timedelta(days=config.mql.review_after_days)


def definitions(config: Config) -> list[Definition]:
    """Return every definition of the project, the first first."""
    if not ledger_exists(config):
        return []
    with open_ledger(config) as ledger:
        rows = ledger.execute(_DEFINITIONS.select().order_by(_DEFINITIONS.c.number)).all()
    return [_definition(row) for row in rows]


def definition_of(config: Config, decision_version: int) -> int:
    """Return the number of the definition that a decision version decides by; 0: none is known."""
    known = [each for each in definitions(config) if each.decision_version <= decision_version]
    return known[-1].number if known else 0


def record_training(
    config: Config, version: int, decision: DecisionVersion, story: dict[str, Any]
) -> None:
    """Write down the configuration's definition when a training used it for the first time.

    Parameters
    ----------
    config : Config
    version : int
        Of the decision version.
    decision : DecisionVersion
    story : dict
        Of the training.
    """
    with open_ledger(config) as ledger:
        newest = _newest(ledger)
        if newest is not None and newest[1] == _configured(config):
            return
        _write(
            ledger,
            config,
            version,
            decision,
            story,
            author=FROM_CONFIGURATION,
            reason="the configuration's policy",
            review_on=review_day(config),
        )


def record_definition(
    config: Config,
    version: int,
    decision: DecisionVersion,
    story: dict[str, Any],
    *,
    author: str,
    reason: str,
    review_on: date,
) -> Definition:
    """Write down a definition that somebody saved, and return it.

    Parameters
    ----------
    config : Config
    version : int
        Of the decision version that decides by it.
    decision : DecisionVersion
    story : dict
        Of the training, with the new threshold.
    author, reason : str
    review_on : date
    """
    with open_ledger(config) as ledger:
        return _write(
            ledger,
            config,
            version,
            decision,
            story,
            author=author,
            reason=reason,
            review_on=review_on,
        )


def _write(
    ledger: Connection,
    config: Config,
    version: int,
    decision: DecisionVersion,
    story: dict[str, Any],
    *,
    author: str,
    reason: str,
    review_on: date,
) -> Definition:
    newest = _newest(ledger)
    choice = decision.threshold
    written = Definition(
        number=newest[0].number + 1 if newest else 1,
        decision_version=version,
        policy=dict(choice.policy),
        floors=asdict(decision.floors),
        threshold=choice.threshold,
        words=decision.definition_in_words(),
        author=author,
        reason=reason,
        owner=config.mql.owner,
        decided_at=datetime.now(UTC),
        review_on=review_on,
        base_rate=story["evaluation"]["base_rate"]["value"],
        mqls_per_week=choice.expected_mqls_per_week,
        precision=choice.to_dict()["precision"]["value"],
    )
    row = asdict(written) | {
        "format_version": FORMAT_VERSION,
        "policy": json.dumps(written.policy, sort_keys=True),
        "floors": json.dumps(written.floors, sort_keys=True),
        "configured": _configured(config),
    }
    ledger.execute(_DEFINITIONS.insert().values(**row))
    return written


def _newest(ledger: Connection) -> tuple[Definition, str] | None:
    """Return the newest definition, and what the configuration said when it was made."""
    query = _DEFINITIONS.select().order_by(_DEFINITIONS.c.number.desc()).limit(1)
    row = ledger.execute(query).one_or_none()
    return None if row is None else (_definition(row), str(row.configured))


def _definition(row: Any) -> Definition:
    if row.format_version > FORMAT_VERSION:
        raise SchemaMismatchError(
            f"definition {row.number} has format {row.format_version}; this leadlight reads up to "
            f"{FORMAT_VERSION}",
            hint="Upgrade leadlight (pip install --upgrade leadlight).",
        )
    told = {name: value for name, value in row._mapping.items() if name in _FIELDS}
    moment: datetime = row.decided_at
    return Definition(
        **told
        | {
            "policy": json.loads(row.policy),
            "floors": json.loads(row.floors),
            # SQLite gives times back without their zone.
            "decided_at": moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment,
        }
    )


_FIELDS = frozenset(Definition.__dataclass_fields__)


def _configured(config: Config) -> str:
    """Return what the configuration says of the policy: review and owner may change without it."""
    return json.dumps(config.mql.model_dump(mode="json", exclude=set(AGREED)), sort_keys=True)
