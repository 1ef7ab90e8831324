"""The part of the configuration that says who is told the scores, and in which words."""

from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator

from leadlight.features.errors import did_you_mean

from .config_sources import Number, Settings, Text, Whole, problem
from .delivery.fields import FIELDS

Share = Annotated[Number, Field(gt=0, le=1)]


def _variable(name: str) -> str:
    # The text is not shown: whoever writes the secret itself here must not find it in a log.
    if not name.replace("_", "").isalnum() or not name.isascii() or name[0].isdigit():
        raise problem(
            "must be the name of an environment variable, such as CRM_TOKEN, and neither the "
            "secret itself nor ${CRM_TOKEN}"
        )
    return name


def _plain_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise problem("must be an address: https://example.com/hook")
    if "@" in parts.netloc:
        raise problem("must not hold a password: secrets are named as environment variables")
    return url


def _private_address(url: str) -> str:
    parts = urlsplit(_plain_address(url))
    if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "::1", "localhost"}:
        raise problem("must begin with https://, as a secret is sent there")
    return url


Variable = Annotated[Text, AfterValidator(_variable)]
Address = Annotated[Text, AfterValidator(_plain_address)]
PrivateAddress = Annotated[Text, AfterValidator(_private_address)]


class SinkSettings(Settings):
    """What every sink has: a name, and what its fields are called there."""

    name: Text = Field(
        description="What this sink is called; what was sent is remembered by this name"
    )
    fields: dict[Text, Text] = Field(
        default_factory=dict,
        description="What is sent, and under which name: {probability: lead_probability}. "
        "Default: everything, under leadlight's own names",
    )

    @field_validator("fields")
    @classmethod
    def _known_fields(cls, fields: dict[str, str]) -> dict[str, str]:
        for name in fields:
            if name not in FIELDS:
                raise problem(
                    f"'{name}' cannot be sent.{did_you_mean(name, FIELDS)} "
                    f"Known: {', '.join(FIELDS)}"
                )
        if len(set(fields.values())) < len(fields):
            raise problem("two fields have the same name there")
        return fields


class FileSinkSettings(SinkSettings):
    """A file that others pick up."""

    kind: Literal["csv", "xlsx", "parquet", "jsonl"] = Field(description="Format of the file")
    path: Text = Field(description="Where it is written, relative to this file's folder")
    contents: Literal["snapshot", "changes"] = Field(
        default="snapshot",
        description="snapshot: all leads, in place of the earlier file. changes: only those that "
        "changed; each delivery has a file of its own, with a number in its name",
    )


class _Patient(SinkSettings):
    per_second: Annotated[Number, Field(gt=0)] | None = Field(
        default=None, description="Requests a second at most; default: no limit of our own"
    )
    attempts: Whole = Field(
        default=5, ge=1, description="How often a request is tried before its leads have to wait"
    )
    timeout_seconds: Annotated[Number, Field(gt=0)] = Field(
        default=30, description="How long to wait for an answer"
    )


class DatabaseSinkSettings(_Patient):
    """A table of an SQL database, one row for each lead."""

    kind: Literal["sql"] = Field(description="A table of an SQL database")
    url: Variable = Field(description="Environment variable that holds the SQLAlchemy URL")
    table: Text = Field(
        description="Table (schema.table), made when missing; the lead's id is its key"
    )


class WebhookSinkSettings(_Patient):
    """An address that is told of each change by a signed request."""

    kind: Literal["webhook"] = Field(description="One signed request for each change")
    url: Address = Field(description="Where to send")
    secret: Variable = Field(
        description="Environment variable that holds the signing secret (whsec_...)"
    )


class HubspotSinkSettings(_Patient):
    """Contacts of HubSpot."""

    kind: Literal["hubspot"] = Field(description="Contacts of HubSpot")
    token: Variable = Field(
        description="Environment variable that holds the access token of a private app"
    )
    match: Literal["record_id", "email", "lead_id"] = Field(
        default="record_id",
        description="How a contact is found. record_id: the lead's id is HubSpot's record id. "
        "email: by e-mail address. lead_id: by a unique property that holds the lead's id. By "
        "e-mail or lead_id, HubSpot makes a contact where it finds none",
    )
    per_second: Annotated[Number, Field(gt=0)] = Field(
        default=10, description="Requests a second at most, of 100 leads each"
    )
    url: PrivateAddress = Field(
        default="https://api.hubapi.com", description="Where HubSpot answers"
    )


class SalesforceSinkSettings(_Patient):
    """Records of an object of Salesforce."""

    kind: Literal["salesforce"] = Field(description="Records of Salesforce")
    url: PrivateAddress = Field(
        description="The company's own address there: https://acme.my.salesforce.com"
    )
    client_id: Variable = Field(
        description="Environment variable that holds the id of an app with the client credentials "
        "flow"
    )
    client_secret: Variable = Field(description="Environment variable that holds that app's secret")
    object: Text = Field(default="Lead", description="What a lead is there: Lead, Contact, ...")
    external_id: Text = Field(
        default="Id",
        description="The field that holds the lead's id: Id, or one marked as external id",
    )


AnySink = Annotated[
    FileSinkSettings
    | DatabaseSinkSettings
    | WebhookSinkSettings
    | HubspotSinkSettings
    | SalesforceSinkSettings,
    Field(discriminator="kind"),
]

SINK_KINDS: tuple[str, ...] = tuple(
    kind
    for settings in get_args(get_args(AnySink)[0])
    for kind in get_args(settings.model_fields["kind"].annotation)
)
"""Every kind of sink that can be configured."""


class DeliverySettings(Settings):
    """Who is told the scores."""

    sinks: tuple[AnySink, ...] = Field(
        default=(), description="Who is told: files, databases, CRMs, webhooks"
    )
    stop_share: Share = Field(
        default=0.2,
        description="If more than this share of the leads that a sink knows would change their "
        "state, nothing is sent until someone confirms",
    )
    opted_out_columns: tuple[Text, ...] = Field(
        default=(),
        description="Further columns of leads that say true where a lead must not be passed on",
    )

    @field_validator("sinks")
    @classmethod
    def _named_once(cls, sinks: tuple[SinkSettings, ...]) -> tuple[SinkSettings, ...]:
        names = [sink.name for sink in sinks]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise problem(f"two sinks are called '{twice[0]}'")
        return sinks
