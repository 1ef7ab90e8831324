"""The registry: decision versions in MLflow, and which of them is the champion.

A server by URL, or SQLite in the workspace. What is registered is data (JSON and arrays) behind
the pyfunc loader of ``leadlight.pipelines.pyfunc``.
"""

import logging
import os
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version as package_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadlight.features.errors import (
    LeadlightError,
    ModelNotFoundError,
    WorkspaceError,
    disk_is_full,
    says_disk_is_full,
)
from leadlight.models.decision import DecisionVersion

from .artefact import load_decision, load_training, save_decision
from .config import Config

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION = "champion"
_NOT_FOUND = "RESOURCE_DOES_NOT_EXIST"
_PASSWORD = re.compile(r"://[^/@\s]*@")


@dataclass(frozen=True)
class TrainingRecord:
    """What MLflow keeps of a training run beside the decision version.

    Attributes
    ----------
    params : mapping of str to str
        Choices that went in: horizon, lookbacks, seed, hashes of data, configuration and code.
    metrics : mapping of str to float
        Figures that came out, with ``_low`` and ``_high`` ends of their intervals.
    plots : mapping of str to str
        File name -> SVG.
    """

    params: Mapping[str, str]
    metrics: Mapping[str, float]
    plots: Mapping[str, str]


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
        self, decision: DecisionVersion, training: dict[str, Any], record: TrainingRecord
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
        with self._mlflow() as client, tempfile.TemporaryDirectory(prefix="leadlight-") as folder:
            directory = Path(folder) / "decision"
            directory.mkdir()
            save_decision(decision, training, directory)
            run_id, source = self._record_run(client, record, directory)
            self._create_if_new(client)
            registered = client.create_model_version(self._name, source=source, run_id=run_id)
            client.set_registered_model_alias(self._name, CHAMPION, registered.version)
            return int(registered.version)

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
        with self._mlflow() as client, tempfile.TemporaryDirectory(prefix="leadlight-") as folder:
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
                dst_path=None if self._is_local else folder,
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

    def _record_run(
        self, client: "MlflowClient", record: TrainingRecord, directory: Path
    ) -> tuple[str, str]:
        """Return the run's id and the logged model's URI."""
        import mlflow  # noqa: PLC0415

        experiment = client.get_experiment_by_name(self._name)
        experiment_id = (
            experiment.experiment_id
            if experiment is not None
            else client.create_experiment(self._name, artifact_location=self._artifact_location())
        )
        with mlflow.start_run(experiment_id=experiment_id, run_name="train") as run:
            mlflow.log_params(dict(record.params))
            mlflow.log_metrics(dict(record.metrics))
            for name, svg in record.plots.items():
                mlflow.log_text(svg, f"plots/{name}")
            model = mlflow.pyfunc.log_model(
                name="decision",
                loader_module="leadlight.pipelines.pyfunc",
                data_path=str(directory),
                pip_requirements=[f"leadlight=={package_version('leadlight')}"],
            )
            return run.info.run_id, model.model_uri

    def _artifact_location(self) -> str | None:
        if not self._is_local:
            return None
        self._artifacts.mkdir(parents=True, exist_ok=True)
        return self._artifacts.resolve().as_uri()

    def _unusable(self, error: Exception) -> LeadlightError:
        if isinstance(error, LeadlightError):
            return error
        if says_disk_is_full(error):
            return disk_is_full("the registry")
        text = (str(error).splitlines() or [type(error).__name__])[0]
        shown = _PASSWORD.sub("://***@", text.replace(self._uri, "the registry"))
        return WorkspaceError(
            f"the registry cannot be used: {shown}",
            hint="Check `mlflow.tracking_uri`, the server, the disk and its permissions.",
        )

    @contextmanager
    def _mlflow(self) -> Iterator["MlflowClient"]:
        """Point MLflow at this registry, keep its chatter down, and turn its failures into ours."""
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        # A server that is down should be told of in seconds, not in the default's minutes.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        with warnings.catch_warnings():
            # MLflow 3.17 warns of its own use of SQLAlchemy and pydantic.
            warnings.simplefilter("ignore")
            import mlflow  # noqa: PLC0415
            from mlflow.exceptions import MlflowException  # noqa: PLC0415
            from sqlalchemy.exc import DatabaseError  # noqa: PLC0415

            logging.getLogger("mlflow").setLevel(logging.ERROR)
            logging.getLogger("alembic").setLevel(logging.ERROR)
            before = mlflow.get_tracking_uri()
            mlflow.set_tracking_uri(self._uri)
            try:
                yield mlflow.MlflowClient(self._uri, self._uri)
            except (MlflowException, DatabaseError, ModuleNotFoundError, ValueError) as error:
                # Not chained: the cause's own text may show the store's password.
                raise self._unusable(error) from None
            finally:
                mlflow.set_tracking_uri(before)
