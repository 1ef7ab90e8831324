"""HubSpot as a sink: contacts, written in batches through the vendor's client."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import urllib3

from leadlight.features.errors import DeliveryError, MissingExtraError
from leadlight.pipelines.config_delivery import HubspotSinkSettings

from .addresses import Addresses
from .fields import FIELDS
from .hubspot_answers import LATER, read_body, sort_answer, words_of
from .hubspot_properties import GROUP, new_property, trouble_with
from .patience import NEXT_RUN, Pace, retry_after
from .secret import secret_of, without_secrets
from .sink import Batch, Message, Outcome, TryAgainError, as_text

_OBJECT = "contacts"
_NOT_US = {401, 403, 404, 405}


class _BatchRefusedError(Exception):
    """HubSpot takes nothing of a batch because of some lead in it."""


class HubspotSink:
    """Writes what is known of leads into properties of contacts; properties are made when missing.

    A contact is found by its record id, which the lead's id then is; by its e-mail address; or by
    a unique property that holds the lead's id. In the latter two cases HubSpot makes a contact
    where it finds none.

    Parameters
    ----------
    settings : HubspotSinkSettings
    names : mapping of str to str
        HubSpot's name of each field.
    addresses : Addresses or None
        Of all leads, where contacts are found by them.

    Raises
    ------
    DeliveryError
        The token is not set.
    MissingExtraError
        HubSpot's client is not installed.

    References
    ----------
    HubSpot, "Contacts": batch upsert and update, https://developers.hubspot.com/docs/api-reference
    """

    batch_size = 100

    def __init__(
        self, settings: HubspotSinkSettings, names: Mapping[str, str], addresses: Addresses | None
    ) -> None:
        self._settings = settings
        self._names = names
        self._addresses = addresses
        self._token = secret_of(settings.token, sink=settings.name)
        self._pace = Pace(settings.per_second)
        self._open_client()
        self._is_ready = False

    def send(self, batch: Batch) -> Sequence[Outcome]:
        """Write a batch; whoever HubSpot will not have is told apart from the others."""
        if not self._is_ready:
            try:
                self._require_properties()
            except _BatchRefusedError as error:
                raise self._without_properties(str(error)) from None
            self._is_ready = True
        outcomes, found = [], []
        for message in batch.messages:
            trouble = self._addresses.trouble(message.lead_id) if self._addresses else ""
            if trouble:
                outcomes.append(Outcome(message.lead_id, "refused", trouble))
            else:
                found.append(message)
        return outcomes + self._write(found) if found else outcomes

    def close(self) -> None:
        """Close the connections."""
        for api in (self._contacts, self._properties, self._groups):
            api.api_client.rest_client.pool_manager.clear()

    def _open_client(self) -> None:
        try:
            from hubspot import HubSpot  # noqa: PLC0415 - of an extra
            from hubspot.crm import objects, properties  # noqa: PLC0415
        except ImportError as error:
            raise MissingExtraError(
                "HubSpot needs its client", hint="pip install 'leadlight[hubspot]'"
            ) from error
        crm = HubSpot(
            access_token=self._token,
            retry=urllib3.Retry(False),
            host=self._settings.url.rstrip("/"),
        ).crm
        self._contacts = crm.objects.batch_api
        self._properties = crm.properties.core_api
        self._new_properties = crm.properties.batch_api
        self._groups = crm.properties.groups_api
        self._api_errors = (objects.ApiException, properties.ApiException)

    def _write(self, messages: Sequence[Message]) -> list[Outcome]:
        """Write contacts; a batch refused as a whole is halved until the culprit is alone."""
        parts, outcomes = [messages], list[Outcome]()
        while parts:
            part = parts.pop()
            try:
                outcomes += self._write_together(part)
            except _BatchRefusedError as error:
                if len(part) == 1:
                    outcomes.append(Outcome(part[0].lead_id, "refused", str(error)))
                else:
                    parts += [part[len(part) // 2 :], part[: len(part) // 2]]
            except TryAgainError as error:
                if not outcomes:
                    raise
                left = [message for some in (part, *parts) for message in some]
                return outcomes + [Outcome(each.lead_id, "again", error.said) for each in left]
        return outcomes

    def _write_together(self, messages: Sequence[Message]) -> list[Outcome]:
        sent_as = {message.lead_id: self._id_of(message) for message in messages}
        inputs = [
            {
                "id": sent_as[message.lead_id],
                "objectWriteTraceId": message.key,
                "properties": {
                    theirs: as_text(message.values[ours]) for ours, theirs in self._names.items()
                },
                **self._found_by(),
            }
            for message in messages
        ]
        by_record = self._settings.match == "record_id"
        write = self._contacts.update if by_record else self._contacts.upsert
        status, answer = self._ask(write, _OBJECT, {"inputs": inputs})
        if status == 207:
            return sort_answer(messages, sent_as, answer, self._token)
        return [Outcome(message.lead_id, "delivered") for message in messages]

    def _id_of(self, message: Message) -> str:
        return self._addresses.by_lead[message.lead_id] if self._addresses else message.lead_id

    def _found_by(self) -> dict[str, str]:
        """Return the property that ids are of; HubSpot's own record id must not be named."""
        match self._settings.match:
            case "email":
                return {"idProperty": "email"}
            case "lead_id":
                return {"idProperty": self._names["lead_id"]}
            case _:
                return {}

    def _require_properties(self) -> None:
        key = self._names["lead_id"] if self._settings.match == "lead_id" else ""
        present = self._ask(self._properties.get_all, _OBJECT)[1].get("results") or []
        trouble = trouble_with(present, self._names, key)
        if trouble:
            raise DeliveryError(
                f"sink '{self._settings.name}': {trouble}",
                hint="Map the field to another property under `fields`.",
            )
        there = {each["name"] for each in present}
        missing = [
            new_property(ours, theirs, unique=theirs == key)
            for ours, theirs in self._names.items()
            if theirs not in there
        ]
        if missing:
            self._make(missing)

    def _make(self, missing: Sequence[Mapping[str, Any]]) -> None:
        groups = self._ask(self._groups.get_all, _OBJECT)[1].get("results") or []
        if GROUP not in {each["name"] for each in groups}:
            self._ask(self._groups.create, _OBJECT, {"name": GROUP, "label": GROUP})
        status, made = self._ask(self._new_properties.create, _OBJECT, {"inputs": missing})
        if status == 207:
            said = "; ".join(words_of(each, self._token) for each in made.get("errors") or ())
            raise self._without_properties(said)

    def _without_properties(self, said: str) -> DeliveryError:
        return DeliveryError(
            f"sink '{self._settings.name}': HubSpot neither has nor makes the properties: {said}",
            hint="Make them by hand, or map the fields to others under `fields`.",
        )

    def _ask(self, call: Callable[..., Any], *what: Any) -> tuple[int, dict[str, Any]]:
        """Ask HubSpot once; it is read here, as the client logs what it reads."""
        self._pace.wait()
        try:
            answer = call(
                *what, _preload_content=False, _request_timeout=self._settings.timeout_seconds
            )
            return answer.status, read_body(answer.data)
        except self._api_errors as error:
            raise self._meaning_of(error) from None
        except urllib3.exceptions.HTTPError as error:
            raise TryAgainError(without_secrets(str(error), self._token)) from None

    def _meaning_of(self, error: Any) -> Exception:
        told = read_body(error.body)
        said = f"HTTP {error.status} {words_of(told, self._token)}"
        if error.status in LATER or error.status >= 500 or not error.status:
            asked = retry_after((error.headers or {}).get("Retry-After"))
            is_over = told.get("policyName") == "DAILY"
            return TryAgainError(said, NEXT_RUN if is_over else asked)
        if error.status in _NOT_US:
            return DeliveryError(
                f"sink '{self._settings.name}': HubSpot does not take our requests: {said}",
                hint="Check the token, and that its app may write contacts and their properties "
                "(crm.objects.contacts.write, crm.schemas.contacts.write).",
            )
        return _BatchRefusedError(said)


def property_names(settings: HubspotSinkSettings) -> dict[str, str]:
    """Return HubSpot's name of each field: the configuration's, or ours with a prefix.

    HubSpot has a property ``state`` of its own, where people live.
    """
    names = dict(settings.fields)
    if not names:
        names = {field: f"leadlight_{field}" for field in FIELDS if field != "lead_id"}
    if settings.match == "lead_id":
        names.setdefault("lead_id", "leadlight_lead_id")
    return names
