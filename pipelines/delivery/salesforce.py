"""Salesforce as a sink: records of one object, upserted through the Bulk API 2.0."""

import base64
import csv
import io
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from leadlight.features.errors import DeliveryError, MissingExtraError
from leadlight.pipelines.config_delivery import SalesforceSinkSettings

from .addresses import without_addresses
from .fields import FIELDS
from .patience import NEXT_RUN
from .secret import secret_of, without_secrets
from .sink import Batch, Message, Outcome, TryAgainError, as_text

# An empty cell would leave the field as it was.
_NULL = "#N/A"
# Salesforce's codes of what may pass when the row comes again.
_PASSING = (
    "UNABLE_TO_LOCK_ROW",
    "SERVER_UNAVAILABLE",
    "REQUEST_RUNNING_TOO_LONG",
    "LIMIT_EXCEEDED",
)
# Of jobs that would fail however often they came.
_NEVER = ("InvalidBatch", "ClientInputError", "FeatureNotEnabled")
_DONE = {"JobComplete", "Failed", "Aborted"}
_POLLS = 90


class SalesforceSink:
    """Upserts what is known of leads into records that an external id finds, one job a batch.

    Fields must be there; a record is made where none has the id, unless that is ``Id``.

    Parameters
    ----------
    settings : SalesforceSinkSettings
    names : mapping of str to str
        Salesforce's name of each field.

    Raises
    ------
    DeliveryError
        The client's id or secret is not set.
    MissingExtraError
        simple-salesforce is not installed.

    References
    ----------
    Salesforce, "Bulk API 2.0 and Bulk API Developer Guide", chapter Bulk API 2.0 Ingest.
    """

    # Salesforce processes a job in chunks of as many; and a file must stay below 100 MB.
    batch_size = 10_000

    def __init__(self, settings: SalesforceSinkSettings, names: Mapping[str, str]) -> None:
        try:
            from .salesforce_session import SalesforceSession  # noqa: PLC0415 - of an extra
        except ImportError as error:
            raise _missing() from error
        self._settings = settings
        self._names = names
        self._client = (
            secret_of(settings.client_id, sink=settings.name),
            secret_of(settings.client_secret, sink=settings.name),
        )
        basic = base64.b64encode(":".join(self._client).encode()).decode()
        self._session = SalesforceSession(
            settings.name, settings.per_second, settings.timeout_seconds, *self._client, basic
        )
        self._jobs: Any = None
        self._running: tuple[str, str] | None = None

    def send(self, batch: Batch) -> Sequence[Outcome]:
        """Upsert a batch by a job of its own, and wait for its end.

        A job whose end could not be seen is looked at again, not sent again, at the next attempt.
        """
        from .salesforce_session import ExpiredError  # noqa: PLC0415 - of an extra

        try:
            if self._jobs is None:
                self._jobs = self._log_in()
            return self._run_job(batch)
        except ExpiredError:
            self._jobs = None
            raise

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _log_in(self) -> Any:
        """Log in by the client credentials flow; the answer names where the jobs are."""
        try:
            from simple_salesforce.api import DEFAULT_API_VERSION  # noqa: PLC0415 - of an extra
            from simple_salesforce.bulk2 import SFBulk2Handler  # noqa: PLC0415
        except ImportError as error:
            raise _missing() from error
        told = self._session.post(
            f"{self._settings.url.rstrip('/')}/services/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=self._client,
        ).json()
        self._session.secrets.append(told["access_token"])
        place = f"{told['instance_url']}/services/data/v{DEFAULT_API_VERSION}/jobs/"
        handler = SFBulk2Handler(told["access_token"], place, session=self._session)
        # Its own upsert() does not tell the id of a job that failed, nor what became of its rows.
        return getattr(handler, self._settings.object)._client

    def _run_job(self, batch: Batch) -> list[Outcome]:
        if self._running is None or self._running[0] != batch.number:
            job = self._jobs.create_job("upsert", external_id_field=self._settings.external_id)
            self._jobs.upload_job_data(job["id"], self._written(batch.messages))
            self._running = (batch.number, job["id"])
        ended = self._wait_for(self._running[1])
        outcomes = self._outcomes(batch.messages, ended)
        self._running = None
        return outcomes

    def _written(self, messages: Sequence[Message]) -> str:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([self._settings.external_id, *self._names.values()])
        for message in messages:
            values = (as_text(message.values[field]) for field in self._names)
            writer.writerow([message.lead_id, *(value or _NULL for value in values)])
        return text.getvalue()

    def _wait_for(self, job_id: str) -> Mapping[str, Any]:
        """Close a job's upload and wait until it has ended; one that takes for ever is ended."""
        for poll in range(_POLLS):
            job: Mapping[str, Any] = self._jobs.get_job(job_id, False)
            if job["state"] in _DONE:
                return job
            if job["state"] == "Open":
                self._jobs.close_job(job_id)
            time.sleep(min(0.5 * 1.3**poll, 10.0))
        try:
            ended: Mapping[str, Any] = self._jobs.abort_job(job_id, False)
        except DeliveryError as error:
            raise TryAgainError(error.message) from None
        return ended

    def _outcomes(self, messages: Sequence[Message], job: Mapping[str, Any]) -> list[Outcome]:
        said = self._words(job.get("errorMessage") or f"the job is {job['state']}")
        if job["state"] == "Failed" and said.startswith(_NEVER):
            self._running = None
            raise DeliveryError(
                f"sink '{self._settings.name}': Salesforce does not take the job: {said}",
                hint="These fields must be there and editable: " + ", ".join(self._names.values()),
            )
        # Whom Salesforce does not name at all, neither here nor there, it has not got.
        told = dict(self._failed(job["id"]))
        told |= {lead: Outcome(lead, "delivered") for lead in self._succeeded(job["id"])}
        if not told and job["state"] == "Aborted":
            self._running = None
            raise TryAgainError(f"the job did not end: {said}", NEXT_RUN)
        return [
            told.get(each.lead_id, Outcome(each.lead_id, "again", f"not processed: {said}"))
            for each in messages
        ]

    def _failed(self, job_id: str) -> Iterator[tuple[str, Outcome]]:
        for row in self._results(job_id, "failedResults"):
            lead, said = row[self._settings.external_id], self._words(row["sf__Error"])
            is_passing = any(code in said.partition(":")[0] for code in _PASSING)
            yield lead, Outcome(lead, "again" if is_passing else "refused", said)

    def _words(self, said: str) -> str:
        return without_addresses(without_secrets(said, *self._session.secrets))

    def _succeeded(self, job_id: str) -> Iterator[str]:
        for row in self._results(job_id, "successfulResults"):
            yield row[self._settings.external_id]

    def _results(self, job_id: str, kind: str) -> Iterator[dict[str, str]]:
        text = self._jobs.get_ingest_results(job_id, kind)
        return csv.DictReader(io.StringIO(text, newline=""))


def field_names(settings: SalesforceSinkSettings) -> Mapping[str, str]:
    """Return Salesforce's name of each field: the configuration's, or ours as custom fields.

    Examples
    --------
    >>> field_names(SalesforceSinkSettings(
    ...     name="crm", kind="salesforce", url="https://acme.my.salesforce.com",
    ...     client_id="ID", client_secret="SECRET"))["fit_percentile"]
    'Leadlight_Fit_Percentile__c'
    """
    return settings.fields or {
        name: f"Leadlight_{name.title()}__c" for name in FIELDS if name != "lead_id"
    }


def _missing() -> MissingExtraError:
    return MissingExtraError(
        "Salesforce needs simple-salesforce", hint="pip install 'leadlight[salesforce]'"
    )
