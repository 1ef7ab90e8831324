"""The registry: decision versions in MLflow, and which of them is the champion.

A server by URL, or SQLite in the workspace. What is registered is data (JSON and arrays) behind
the pyfunc loader of ``leadlight.pipelines.pyfunc``.
"""

import re
import tempfile
from dataclasses import dataclass
from importlib.metadata import version as package_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadlight.features.errors import ModelNotFoundError
from leadlight.models.decision import DecisionVersion

from .artefact import load_decision, load_training, save_decision
from .config import Config
from .input_example import input_example, signature_of
from .tracking import RunRecord, recorded_run, tracking_store

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION = "champion"
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


def registry_of(config: Config) -> "Registry":
    """Return the project's registry."""
    artifacts = config.workspace_directory / "mlartifacts"
    return Registry(config.tracking_uri, config.project, artifacts)


class Registry:
    """One project's decision versions.

    Parameters
    ----------
    tracking_uri : str
        ``sqlite:///...`` or a server's URL.
    project : str
        Names the experiment and the registered model.
    artifacts : Path
        Where a SQLite store keeps its artefacts; a server knows its own place.
    """

    def __init__(self, tracking_uri: str, project: str, artifacts: Path) -> None:
        self._uri = tracking_uri
        self._name = re.sub(r"[/:]", "-", project)
        self._artifacts = artifacts

    def register(
        self, decision: DecisionVersion, training: dict[str, Any], record: RunRecord
    ) -> int:
        """Record a training run, register its decision version, and make it the champion.

        The alias moves last, so a failure on the way leaves the champion untouched.

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
                source = _log_model(decision, training)
            self._create_if_new(client)
            registered = client.create_model_version(
                self._name, source=source, run_id=run.info.run_id
            )
            client.set_registered_model_alias(self._name, CHAMPION, registered.version)
            return int(registered.version)

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

    def _load(self, number: int | None) -> RegisteredVersion:
        """Load a version by number, or the champion."""
        import mlflow  # noqa: PLC0415 - a second of import that only the registry needs
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        if self._is_local and not Path(self._uri.removeprefix("sqlite:///")).exists():
            raise self._not_found(number)
        store, folder = tracking_store(self._uri), tempfile.TemporaryDirectory(prefix="leadlight-")
        with store as client, folder as downloads:
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
            directory = Path(path) / "data" / "decision"
            return RegisteredVersion(
                self._name,
                int(found.version),
                load_decision(directory),
                load_training(directory),
            )

    @property
    def _is_local(self) -> bool:
        return self._uri.startswith("sqlite:")

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


def _log_model(decision: DecisionVersion, training: dict[str, Any]) -> str:
    """Keep a decision version with the open run, and return its URI."""
    import mlflow  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="leadlight-") as folder:
        directory = Path(folder) / "decision"
        directory.mkdir()
        save_decision(decision, training, directory)
        logged = mlflow.pyfunc.log_model(
            name="decision",
            loader_module="leadlight.pipelines.pyfunc",
            data_path=str(directory),
            pip_requirements=[f"leadlight=={package_version('leadlight')}"],
            signature=signature_of(decision),
            input_example=input_example(decision),
        )
    return str(logged.model_uri)
