"""From the configuration's sinks to things that can be sent to."""

from collections.abc import Mapping
from typing import assert_never

from leadlight.pipelines.config import Config
from leadlight.pipelines.config_delivery import (
    AnySink,
    DatabaseSinkSettings,
    FileSinkSettings,
    HubspotSinkSettings,
    SalesforceSinkSettings,
    WebhookSinkSettings,
)

from .addresses import read_addresses
from .database import DatabaseSink
from .fields import FIELDS
from .files import FileSink
from .hubspot import HubspotSink, property_names
from .salesforce import SalesforceSink, field_names
from .sink import Sink
from .webhook import WebhookSink


def names_of(settings: AnySink) -> Mapping[str, str]:
    """Return what each field that is sent is called there; a file's and a table's rows have ids."""
    fields = settings.fields or {name: name for name in FIELDS}
    return {"lead_id": fields.get("lead_id", "lead_id"), **fields}


def file_sink(settings: FileSinkSettings, config: Config) -> FileSink:
    """Return a file to write to."""
    return FileSink(settings.name, settings.kind, config.folder / settings.path, names_of(settings))


def open_sink(settings: AnySink, config: Config) -> Sink:
    """Return what a sink's settings describe; nothing is sent or asked yet.

    Raises
    ------
    DeliveryError
        A secret is not set.
    MissingExtraError
        The CRM's client is not installed.
    """
    match settings:
        case FileSinkSettings():
            return file_sink(settings, config)
        case DatabaseSinkSettings():
            return DatabaseSink(settings, names_of(settings))
        case WebhookSinkSettings():
            return WebhookSink(settings, names_of(settings))
        case HubspotSinkSettings():
            addresses = read_addresses(config, settings.name) if settings.match == "email" else None
            return HubspotSink(settings, property_names(settings), addresses)
        case SalesforceSinkSettings():
            return SalesforceSink(settings, field_names(settings))
        case _:
            assert_never(settings)
