"""The registry: decision versions in MLflow, and which of them is the champion.

A server by URL, or SQLite in the workspace. What is registered is data (JSON and arrays) behind
the pyfunc loader of ``leadlight.pipelines.pyfunc``. The alias ``champion`` alone says which version
scores; ``leadlight.pipelines.promotion`` moves it.
"""

import getpass
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version as package_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from leadlight.features.errors import ModelNotFoundError
from leadlight.models.decision import DecisionVersion

from .artefact import load_decision, load_training, save_decision
from .config import Config
from .input_example import input_example, signature_of
from .tracking import RunRecord, recorded_run, tracking_store

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION = "champion"
CHALLENGER = "challenger"
MADE_BY = "leadlight.made_by"
MADE_BECAUSE = "leadlight.made_because"
_NOT_FOUND = "RESOURCE_DOES_NOT_EXIST"


@dataclass(frozen=True)
class RegisteredVersion:
    """A decision version as the registry knows it.

    Attributes
    ----------
    name : str
        Registered model name: the project.
    number : int
        1, 2, 3, ... in order of registration.
    decision : DecisionVersion
    training : dict
        The story of its training.
    """

    name: str
    number: int
    decision: DecisionVersion
    training: dict[str, Any]


@dataclass(frozen=True)
class Mandate:
    """Who wants something done, and why.

    Attributes
    ----------
    by : str
        A person, or a job.
    reason : str
        In a sentence.
    """

    by: str
    reason: str

    @classmethod
    def of_this_user(cls, reason: str) -> "Mandate":
        """Name the user of this machine; a container's may have no name."""
        try:
            return cls(getpass.getuser(), reason)
        except (OSError, KeyError):
            return cls("unknown", reason)


@dataclass(frozen=True)
class VersionEntry:
    """A decision version in the list of all.

    Attributes
    ----------
    number : int
    aliases : tuple of str
        ``champion``, ``challenger``, or others that were given in MLflow.
    made_at : datetime
        UTC.
    mandate : Mandate
        Who made it, and why.
    """

    number: int
    aliases: tuple[str, ...]
    made_at: datetime
    mandate: Mandate

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for ``--json``."""
        return {
            "version": self.number,
            "aliases": list(self.aliases),
            "made_at": self.made_at.isoformat(),
            "by": self.mandate.by,
            "reason": self.mandate.reason,
        }


def registry_of(config: Config) -> "Registry":
    """Return the project's registry."""
    artifacts = config.workspace_directory / "mlartifacts"
    return Registry(config.tracking_uri, config.model_name, artifacts)


class Registry:
    """One project's decision versions.

    Parameters
    ----------
    tracking_uri : str
        ``sqlite:///...`` or a server's URL.
    name : str
        Of the experiment and of the registered model.
    artifacts : Path
        Where a SQLite store keeps its artefacts; a server knows its own place.
    """

    def __init__(self, tracking_uri: str, name: str, artifacts: Path) -> None:
        self._uri = tracking_uri
        self._name = name
        self._artifacts = artifacts

    def register(
        self,
        decision: DecisionVersion,
        training: dict[str, Any],
        held_out: pd.DataFrame,
        record: RunRecord,
        mandate: Mandate,
    ) -> int:
        """Record a run and register its decision version; the champion stays as it is.

        Returns
        -------
        int
            The version's number.

        Raises
        ------
        WorkspaceError
            The registry cannot be used: no server, no room, no permission.
        """
        with tracking_store(self._uri) as client:
            with recorded_run(record, self._experiment(client)) as run:
                source = _log_model(decision, training, held_out)
            self._create_if_new(client)
            registered = client.create_model_version(
                self._name,
                source=source,
                run_id=run.info.run_id,
                tags={MADE_BY: mandate.by, MADE_BECAUSE: mandate.reason},
            )
            return int(registered.version)

    def versions(self) -> tuple[VersionEntry, ...]:
        """List all decision versions, the newest first.

        Raises
        ------
        WorkspaceError
            The registry cannot be used.
        """
        if self._is_unmade:
            return ()
        with tracking_store(self._uri) as client:
            aliases = self._aliases(client)
            found = [
                VersionEntry(
                    int(each.version),
                    tuple(sorted(a for a, at in aliases.items() if at == int(each.version))),
                    datetime.fromtimestamp(each.creation_timestamp / 1000, UTC),
                    Mandate(each.tags.get(MADE_BY, ""), each.tags.get(MADE_BECAUSE, "")),
                )
                for each in client.search_model_versions(f"name = {_quoted(self._name)}")
            ]
        return tuple(sorted(found, key=lambda each: -each.number))

    def holder(self, alias: str) -> int | None:
        """Return the number of the version that holds an alias; None if none does."""
        if self._is_unmade:
            return None
        with tracking_store(self._uri) as client:
            return self._aliases(client).get(alias)

    def give(self, alias: str, number: int) -> None:
        """Give an alias to a version; whichever held it holds it no more. All or nothing."""
        with tracking_store(self._uri) as client:
            client.set_registered_model_alias(self._name, alias, str(number))

    def take(self, alias: str) -> None:
        """Take an alias from whichever version holds it."""
        with tracking_store(self._uri) as client:
            client.delete_registered_model_alias(self._name, alias)

    def note(self, number: int, tags: Mapping[str, str]) -> None:
        """Write tags on a version, for who looks at it in MLflow."""
        with tracking_store(self._uri) as client:
            for key, value in tags.items():
                client.set_model_version_tag(self._name, str(number), key, value)

    def describe(self, text: str, number: int | None = None) -> None:
        """Write what a person reads of the model, or of one of its versions, in MLflow (Markdown).

        A version that someone deleted there is passed over.
        """
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        with tracking_store(self._uri) as client:
            try:
                if number is None:
                    client.update_registered_model(self._name, text)
                else:
                    client.update_model_version(self._name, str(number), text)
            except MlflowException as error:
                if error.error_code != _NOT_FOUND:
                    raise

    def _aliases(self, client: "MlflowClient") -> dict[str, int]:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        try:
            model = client.get_registered_model(self._name)
        except MlflowException as error:
            if error.error_code != _NOT_FOUND:
                raise
            return {}
        return {alias: int(version) for alias, version in model.aliases.items()}

    def record(self, record: RunRecord) -> None:
        """Keep a run that gave no decision version; the champion stays as it is.

        Raises
        ------
        WorkspaceError
            The registry cannot be used: no server, no room, no permission.
        """
        with tracking_store(self._uri) as client, recorded_run(record, self._experiment(client)):
            pass

    def _create_if_new(self, client: "MlflowClient") -> None:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        try:
            client.get_registered_model(self._name)
        except MlflowException as error:
            if error.error_code != _NOT_FOUND:
                raise
            client.create_registered_model(self._name)

    def champion(self) -> RegisteredVersion:
        """Load the decision version that the alias ``champion`` names.

        Raises
        ------
        ModelNotFoundError
            Nothing was registered yet, or the artefact is gone.
        """
        return self._load(None)

    def version(self, number: int) -> RegisteredVersion:
        """Load the decision version with this number.

        Raises
        ------
        ModelNotFoundError
            There is none, or the artefact is gone.
        """
        return self._load(number)

    @contextmanager
    def champion_directory(self) -> Iterator[tuple[int, Path]]:
        """Yield the champion's number and the folder of its artefact, for as long as it is there.

        Raises
        ------
        ModelNotFoundError
            Nothing was registered yet, or the artefact is gone.
        """
        with self._directory(None) as found:
            yield found

    def _load(self, number: int | None) -> RegisteredVersion:
        """Load a version by number, or the champion."""
        with self._directory(number) as (found, directory):
            return RegisteredVersion(
                self._name,
                found,
                load_decision(directory),
                load_training(directory),
            )

    @contextmanager
    def _directory(self, number: int | None) -> Iterator[tuple[int, Path]]:
        """Find a version by number, or the champion, and the folder that holds it."""
        import mlflow  # noqa: PLC0415 - a second of import that only the registry needs
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        if self._is_unmade:
            raise self._not_found(number)
        with (
            tracking_store(self._uri) as client,
            tempfile.TemporaryDirectory(prefix="leadlight-") as downloads,
        ):
            try:
                found = (
                    client.get_model_version_by_alias(self._name, CHAMPION)
                    if number is None
                    else client.get_model_version(self._name, str(number))
                )
            except MlflowException as error:
                if error.error_code == _NOT_FOUND:
                    raise self._not_found(number) from error
                raise
            path = mlflow.artifacts.download_artifacts(
                f"models:/{self._name}/{found.version}",
                # Artefacts of a local store are read where they lie.
                dst_path=None if self._is_local else downloads,
                tracking_uri=self._uri,
            )
            yield int(found.version), Path(path) / "data" / "decision"

    @property
    def _is_local(self) -> bool:
        return self._uri.startswith("sqlite:")

    @property
    def _is_unmade(self) -> bool:
        # MLflow would make a store where it looks for one.
        return self._is_local and not Path(self._uri.removeprefix("sqlite:///")).exists()

    def _not_found(self, number: int | None) -> ModelNotFoundError:
        wanted = "champion" if number is None else f"decision version {number}"
        return ModelNotFoundError(
            f"no {wanted} is registered for project '{self._name}'",
            hint="Train one first: leadlight train",
        )

    def _experiment(self, client: "MlflowClient") -> str:
        """Return the id of the project's experiment, which the first run makes."""
        experiment = client.get_experiment_by_name(self._name)
        if experiment is not None:
            return str(experiment.experiment_id)
        return str(
            client.create_experiment(self._name, artifact_location=self._artifact_location())
        )

    def _artifact_location(self) -> str | None:
        if not self._is_local:
            return None
        self._artifacts.mkdir(parents=True, exist_ok=True)
        return self._artifacts.resolve().as_uri()


def _quoted(name: str) -> str:
    """Quote a name for MLflow's filters, which know no escape: O'Brien in double quotes."""
    return f'"{name}"' if "'" in name else f"'{name}'"


def _log_model(decision: DecisionVersion, training: dict[str, Any], held_out: pd.DataFrame) -> str:
    """Keep a decision version with the open run, and return its URI."""
    import mlflow  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="leadlight-") as folder:
        directory = Path(folder) / "decision"
        directory.mkdir()
        save_decision(decision, training, held_out, directory)
        logged = mlflow.pyfunc.log_model(
            name="decision",
            loader_module="leadlight.pipelines.pyfunc",
            data_path=str(directory),
            pip_requirements=[f"leadlight=={package_version('leadlight')}"],
            signature=signature_of(decision),
            input_example=input_example(decision),
        )
    return str(logged.model_uri)
