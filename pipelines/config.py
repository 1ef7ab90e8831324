"""The configuration: one strict file that says all that a project may decide."""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from leadlight.features.errors import did_you_mean
from leadlight.features.rules import RULES
from leadlight.features.sources import Source
from leadlight.features.wording import Language, Wording

from .config_delivery import DeliverySettings
from .config_errors import config_error
from .config_file import KeyPath, read_config_file
from .config_lifecycle import LifecycleSettings
from .config_monitor import MonitorSettings
from .config_mql import CapacitySettings, MqlSettings, TopShareSettings
from .config_retrain import RetrainSettings
from .config_sources import Number, Settings, SourcesSettings, Text, Whole, Zone, problem


class LabelSettings(Settings):
    """What counts as a conversion."""

    horizon_days: Whole = Field(
        default=90, gt=0, description="Days after a snapshot within which a win counts"
    )
    cooldown_days: Whole = Field(
        default=90, ge=0, description="Days after a lost deal until the lead can be scored again"
    )
    attribution: Literal["contact"] = Field(
        default="contact",
        description="Whose win a deal is. contact: its contact's; a deal that names only an "
        "account belongs to the account's leads that were active before it closed",
    )
    immature: Literal["drop", "weight"] = Field(
        default="weight",
        description="Snapshots whose horizon had not ended when a model was taught. drop: they "
        "teach nothing. weight: wins count, and those not won yet count as losses as far as their "
        "time has passed",
    )
    use_feedback: bool = Field(
        default=False,
        description="Whether a verdict of sales counts as a second label: a loss that sales "
        "rejected, and a win that sales accepted, weigh twice",
    )


class SnapshotSettings(Settings):
    """When leads are looked at: on a regular grid, or once at a given age."""

    every_days: Annotated[Whole, Field(gt=0)] | None = Field(
        default=None, description="One snapshot of every lead each so many days; default 30"
    )
    at_age_days: tuple[Annotated[Whole, Field(gt=0)], ...] = Field(
        default=(),
        description="Instead: one snapshot when a lead reaches each of these ages, in days",
    )
    max_rows: Annotated[Whole, Field(gt=0)] | None = Field(
        default=300_000, description="Most snapshots to train on; whole leads are sampled beyond it"
    )

    @model_validator(mode="before")
    @classmethod
    def _grid_unless_by_age(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and not data.keys() & {"every_days", "at_age_days"}:
            return {**data, "every_days": 30}
        return data

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.every_days and self.at_age_days:
            raise problem("say either `every_days` or `at_age_days`; not both")
        if not self.every_days and not self.at_age_days:
            raise problem("say when to look at leads: `every_days: 30` or `at_age_days: [3]`")
        if list(self.at_age_days) != sorted(set(self.at_age_days)):
            raise problem("`at_age_days` must ascend, each age once")
        return self


class PageSettings(Settings):
    """How a URL becomes a kind of page; the first match wins."""

    kind: Text = Field(description="pricing, product, case_study, ...")
    pattern: Text = Field(
        description="Regular expression searched in the lower-case path of the URL"
    )


class FeatureSettings(Settings):
    """What the model may know of a lead."""

    lookback_days: tuple[Annotated[Whole, Field(gt=0)], ...] = Field(
        default=(7, 30, 90), description="Windows before a snapshot, in days, ascending"
    )
    exclude: tuple[Text, ...] = Field(
        default=(),
        description="Columns never to use: what is known only after the sale, or is forbidden",
    )
    include: tuple[Text, ...] = Field(
        default=(), description="Columns to use although they would be left out by default"
    )
    known_when: dict[Text, Literal["before", "after"]] = Field(
        default_factory=dict,
        description="Of columns without a history: known before the snapshot, which ends all "
        "suspicion, or only after it, which excludes them",
    )
    engagement: tuple[Text, ...] = Field(
        default=(),
        description="Flat tables: columns that say what a lead did rather than who it is",
    )
    pages: tuple[PageSettings, ...] = Field(
        default=(), description="Kinds of page by URL, tried before the built-in ones"
    )

    labels: dict[Text, Text] = Field(
        default_factory=dict,
        description="Plain names for columns (`tier`, `accounts.tier`) and kinds of event "
        "(`page_view_partners`), as marketing and sales should read them",
    )
    half_life_days: Annotated[Number, Field(gt=0)] = Field(
        default=14, description="Days in which an event's part in the intensity of interest halves"
    )
    timezone: Zone = Field(
        default="UTC", description="Zone whose clock tells evenings and weekends: Europe/Berlin"
    )

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if not self.lookback_days or list(self.lookback_days) != sorted(set(self.lookback_days)):
            raise problem("`lookback_days` must ascend, each once: [7, 30, 90]")
        for name in ("include", "engagement"):
            both = [column for column in getattr(self, name) if column in self.exclude]
            if both:
                raise problem(f"'{both[0]}' is in `exclude` and in `{name}`; keep one")
        for name, setting, when in (
            ("include", self.include, "after"),
            ("exclude", self.exclude, "before"),
        ):
            both = [column for column in setting if self.known_when.get(column) == when]
            if both:
                raise problem(
                    f"'{both[0]}' is in `{name}` and is declared `{when}` in `known_when`; keep one"
                )
        return self


class ModelSettings(Settings):
    """What the model may be made of."""

    unlimited_trees: bool = Field(
        default=False,
        description="Whether the blend may weigh trees that join any number of signals, if they "
        "foretell better. Reasons are then Shapley values, a fair share of what signals do "
        "together, and the model cannot be exported as SQL or JSON; holds from the next training "
        "on",
    )


class ReasonSettings(Settings):
    """How a lead's score is told."""

    compared_with: Literal["all", "source", "country", "region", "employees", "revenue"] = Field(
        default="all",
        description="Whose average lead a lead's reasons compare with: of all leads, or of its own "
        "segment where that has enough; holds from the next training on",
    )
    actions: tuple[Text, ...] = Field(
        default=(),
        description="Kinds of event that are a lead's own acts, beside those that leadlight knows: "
        "what would lift a lead is looked for among them",
    )


class MlflowSettings(Settings):
    """Where runs and decision versions are kept."""

    tracking_uri: SecretStr | None = Field(
        default=None, description="MLflow server or store; default: mlflow.db in the workspace"
    )


class LedgerSettings(Settings):
    """Where decisions, states and deliveries are kept."""

    url: SecretStr | None = Field(
        default=None,
        description="SQLAlchemy URL of a PostgreSQL database; default: ledger.db in the workspace",
    )


@dataclass(frozen=True)
class Observation:
    """What the configuration says of when wins were recorded.

    Attributes
    ----------
    observed_from, observed_until : datetime or None
        UTC; wins are known in ``[observed_from, observed_until)``. None: found in the data.
    lag_days : int
        Days until a closed deal shows up.
    """

    observed_from: datetime | None
    observed_until: datetime | None
    lag_days: int


class Config(Settings):
    """A leadlight project."""

    project: Text = Field(description="Name of the project, and of its model in the registry")
    workspace: Text = Field(
        default="workspace", description="Folder for all results, relative to this file's folder"
    )
    mlflow: MlflowSettings = Field(
        default_factory=MlflowSettings, description="Where runs and decision versions are kept"
    )
    language: Language = Field(
        default="en", description="In which marketing and sales read reasons: en, de or es"
    )
    ledger: LedgerSettings = Field(
        default_factory=LedgerSettings,
        description="Where decisions, states and deliveries are kept",
    )
    seed: Whole = Field(default=0, ge=0, lt=2**32, description="Seed of everything that is random")
    memory_limit: Annotated[str, Field(pattern=r"^\d+(\.\d+)? ?([KMGT]i?B)$")] = Field(
        default="2GB", description="Memory that the engine may use before it spills to disk: 2GB"
    )
    sources: SourcesSettings = Field(description="Where the tables come from")
    label: LabelSettings = Field(
        default_factory=LabelSettings, description="What counts as a conversion"
    )
    snapshots: SnapshotSettings = Field(
        default_factory=SnapshotSettings, description="When leads are looked at"
    )
    features: FeatureSettings = Field(
        default_factory=FeatureSettings, description="What the model may know of a lead"
    )
    model: ModelSettings = Field(
        default_factory=ModelSettings, description="What the model may be made of"
    )
    mql: MqlSettings = Field(
        default_factory=lambda: TopShareSettings(policy="top_share", share=0.10),
        description="Which leads become MQLs; default: the best tenth",
    )
    retrain: RetrainSettings = Field(
        default_factory=RetrainSettings,
        description="When a retrained model may take the champion's place",
    )
    monitor: MonitorSettings = Field(
        default_factory=MonitorSettings,
        description="How large something must be for `leadlight monitor` to raise an alarm",
    )
    reasons: ReasonSettings = Field(
        default_factory=ReasonSettings, description="How a lead's score is told"
    )
    delivery: DeliverySettings = Field(
        default_factory=DeliverySettings, description="Who is told the scores"
    )
    lifecycle: LifecycleSettings = Field(
        default_factory=LifecycleSettings,
        description="How leads move between lead, mql, sql, customer, recycled and disqualified",
    )
    checks: dict[str, Annotated[Number, Field(ge=0, le=1)] | None] = Field(
        default_factory=dict,
        description="Largest share of a table's rows that may break a rule, by rule (`leadlight "
        "check` names them); null only warns",
    )

    _folder: Path = PrivateAttr(default_factory=Path)
    _written: Mapping[KeyPath, str] = PrivateAttr(default_factory=dict)

    @field_validator("checks")
    @classmethod
    def _known_rules(cls, checks: dict[str, float | None]) -> dict[str, float | None]:
        for rule in checks:
            if rule not in RULES:
                raise problem(
                    f"no rule is called '{rule}'.{did_you_mean(rule, RULES)} "
                    f"Rules: {', '.join(RULES)}"
                )
        return checks

    @model_validator(mode="after")
    def _flat_tables_have_no_time(self) -> Self:
        if not self.sources.is_flat:
            return self
        if "snapshots" in self.model_fields_set and self.snapshots.model_fields_set - {"max_rows"}:
            raise problem(
                "`snapshots` needs times, and a flat table (`leads.won`) has none: its rows are "
                "the snapshots. Drop `snapshots`"
            )
        if "lifecycle" in self.model_fields_set:
            raise problem(
                "`lifecycle` needs times, and a flat table (`leads.won`) has none. Drop `lifecycle`"
            )
        if isinstance(self.mql, CapacitySettings):
            raise problem(
                "`policy: capacity` counts leads per week, and a flat table (`leads.won`) has no "
                "weeks. Use `policy: top_share`, `precision` or `probability`"
            )
        return self

    @model_validator(mode="after")
    def _used_feedback_has_a_source(self) -> Self:
        if self.label.use_feedback and not self.sources.feedback:
            raise problem(
                "`label.use_feedback` needs `sources.feedback`: what sales said of MQLs. Map it, "
                "or drop `use_feedback`"
            )
        return self

    @property
    def folder(self) -> Path:
        """The configuration file's folder, from which relative paths go."""
        return self._folder

    @property
    def workspace_directory(self) -> Path:
        """The folder for all results."""
        return Path(self._resolve(self.workspace))

    @property
    def tracking_uri(self) -> str:
        """Where MLflow keeps runs and versions; it may hold a password, so never show it."""
        if self.mlflow.tracking_uri is not None:
            return self.mlflow.tracking_uri.get_secret_value()
        return f"sqlite:///{self.workspace_directory.absolute() / 'mlflow.db'}"

    @property
    def model_name(self) -> str:
        """Name of the project's model in the registry, which allows no slash and no colon."""
        return re.sub(r"[/:]", "-", self.project)

    @property
    def observation(self) -> Observation:
        """When all sources of outcomes recorded wins: the narrowest window that they share."""
        outcomes = self.sources.outcomes
        starts = [source.observed_from for source in outcomes if source.observed_from]
        ends = [source.observed_until for source in outcomes if source.observed_until]
        return Observation(
            observed_from=_midnight(max(starts)) if starts else None,
            observed_until=_midnight(min(ends) + timedelta(days=1)) if ends else None,
            lag_days=max((source.lag_days for source in outcomes), default=0),
        )

    @property
    def wording(self) -> Wording:
        """How leadlight speaks to marketing and sales."""
        return Wording(self.language, tuple(self.features.labels.items()))

    def sources_list(self) -> tuple[Source, ...]:
        """Return every source, leads first, with paths that can be opened from anywhere."""
        return tuple(source.source(key, self._resolve) for key, source in self.sources.each())

    def public_dict(self) -> dict[str, Any]:
        """Return what may be stored and shown: plain data without secrets.

        Of a database's or server's URL only the kind is left. Paths stay as the file has them,
        ``${VARIABLE}`` included, so that the same project looks the same on each machine.
        """
        public = self.model_dump(mode="json")
        for key_path, text in self._written.items():
            if key_path == ("workspace",):
                public["workspace"] = text
            elif key_path[0] == "sources" and key_path[-1] == "path":
                table, index = key_path[1], key_path[2] if len(key_path) == 4 else 0
                public["sources"][table][index]["path"] = text
        public["mlflow"]["tracking_uri"] = _kind_of_url(self.mlflow.tracking_uri)
        public["ledger"]["url"] = _kind_of_url(self.ledger.url)
        for table, sources in public["sources"].items():
            for source, settings in zip(sources, getattr(self.sources, table), strict=True):
                source["url"] = _kind_of_url(settings.url)
        return public

    def _resolve(self, path: str) -> str:
        return str(self._folder / Path(path).expanduser())


def load_config(path: Path, environ: Mapping[str, str] | None = None) -> Config:
    """Read and validate ``leadlight.yaml``.

    Parameters
    ----------
    path : Path
    environ : mapping of str to str, optional
        Variables for ``${VARIABLE}``; default: the process's environment.

    Raises
    ------
    ConfigError
        The file cannot be read or says something that cannot be meant: with file, line, key, and
        the nearest known word.
    """
    document = read_config_file(Path(path), os.environ if environ is None else environ)
    try:
        config = Config.model_validate(document.data)
    except ValidationError as error:
        # Not chained: the validator's own message would show values, and a value may be a secret.
        raise config_error(error, document) from None
    config._folder = Path(path).parent
    config._written = document.written
    return config


def config_schema() -> dict[str, Any]:
    """Return the JSON schema of ``leadlight.yaml``, for editors."""
    schema = Config.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def config_hash(config: Config) -> str:
    """Return the SHA-256 of what the configuration says, without secrets: 64 hexadecimal digits."""
    text = json.dumps(config.public_dict(), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _kind_of_url(url: SecretStr | None) -> str | None:
    if url is None:
        return None
    kind, separator, _ = url.get_secret_value().partition("://")
    is_kind = separator and re.fullmatch(r"[a-z][a-z0-9+.]*", kind)
    return f"{kind}://***" if is_kind else "***"
