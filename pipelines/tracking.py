"""MLflow reached and kept quiet, its failures turned into ours, and runs written to it."""

import logging
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from leadlight.features.errors import (
    LeadlightError,
    WorkspaceError,
    disk_is_full,
    says_disk_is_full,
)

if TYPE_CHECKING:
    from mlflow import ActiveRun, MlflowClient

_PASSWORD = re.compile(r"://[^/@\s]*@")


@dataclass(frozen=True)
class RunRecord:
    """One MLflow run.

    Attributes
    ----------
    name : str
    params : mapping of str to str
        Choices that went in: horizon, lookbacks, seed, hashes of data, configuration and code.
    metrics : mapping of str to float
        Figures that came out, with ``_low`` and ``_high`` ends of their intervals.
    tags : mapping of str to str
    files : mapping of str to str
        Path among the run's artefacts -> text: plots, leak audit, model card, environment.
    nested : tuple of RunRecord
        Runs inside it: one for each candidate.
    """

    name: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    nested: tuple["RunRecord", ...] = ()


@contextmanager
def tracking_store(uri: str) -> Iterator["MlflowClient"]:
    """Point MLflow at a store, keep its chatter down, and turn its failures into ours.

    Parameters
    ----------
    uri : str
        ``sqlite:///...`` or a server's URL.

    Raises
    ------
    WorkspaceError
        The store cannot be used: no server, no room, no permission.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    # A server that is down should be told of in seconds, not in the default's minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    with warnings.catch_warnings():
        # MLflow 3.17 warns of its own use of SQLAlchemy and pydantic.
        warnings.simplefilter("ignore")
        import mlflow  # noqa: PLC0415 - a second of import that only the registry needs
        from mlflow.exceptions import MlflowException  # noqa: PLC0415
        from sqlalchemy.exc import DatabaseError  # noqa: PLC0415

        logging.getLogger("mlflow").setLevel(logging.ERROR)
        logging.getLogger("alembic").setLevel(logging.ERROR)
        before = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(uri)
        try:
            yield mlflow.MlflowClient(uri, uri)
        except (MlflowException, DatabaseError, ModuleNotFoundError, ValueError) as error:
            # Not chained: the cause's own text may show the store's password.
            raise _unusable(uri, error) from None
        finally:
            mlflow.set_tracking_uri(before)


def _unusable(uri: str, error: Exception) -> LeadlightError:
    if isinstance(error, LeadlightError):
        return error
    if says_disk_is_full(error):
        return disk_is_full("the registry")
    text = (str(error).splitlines() or [type(error).__name__])[0]
    shown = _PASSWORD.sub("://***@", text.replace(uri, "the registry"))
    return WorkspaceError(
        f"the registry cannot be used: {shown}",
        hint="Check `mlflow.tracking_uri`, the server, the disk and its permissions.",
    )


@contextmanager
def recorded_run(
    record: RunRecord, experiment_id: str, *, nested: bool = False
) -> Iterator["ActiveRun"]:
    """Write a run and those nested in it; it is open until the context ends.

    Parameters
    ----------
    record : RunRecord
    experiment_id : str
    nested : bool
        It belongs to the run that is open.
    """
    import mlflow  # noqa: PLC0415

    with mlflow.start_run(
        experiment_id=experiment_id, run_name=record.name, nested=nested, tags=dict(record.tags)
    ) as run:
        mlflow.log_params(dict(record.params))
        mlflow.log_metrics(dict(record.metrics))
        for path, text in record.files.items():
            mlflow.log_text(text, path)
        for each in record.nested:
            with recorded_run(each, experiment_id, nested=True):
                pass
        yield run
