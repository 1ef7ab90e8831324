"""E-mail addresses of leads, for receivers that know people by them: read, sent, kept nowhere."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow.parquet as pq

from leadlight.features.errors import DeliveryError
from leadlight.features.tables import CanonicalTables
from leadlight.pipelines.config import Config
from leadlight.pipelines.workspace import Workspace

_ADDRESS = re.compile(r"[^\s@<>()\[\]{}\"',;:=]+@[^\s@<>()\[\]{}\"',;:=]+")


@dataclass(frozen=True)
class Addresses:
    """The e-mail addresses of leads.

    Attributes
    ----------
    by_lead : mapping of str to str
        In lower case, as receivers compare them; a lead without one is missing.
    """

    by_lead: Mapping[str, str] = field(repr=False)

    @cached_property
    def _owners(self) -> Counter[str]:
        return Counter(self.by_lead.values())

    def trouble(self, lead_id: str) -> str:
        """Say why a lead cannot be told by its address; empty if it can.

        Leads that share an address are one person to the receiver, and the one would overwrite
        the other; one of them may also have opted out.
        """
        address = self.by_lead.get(lead_id)
        if address is None:
            return "the lead has no e-mail address"
        if self._owners[address] > 1:
            return f"{self._owners[address]} leads have this e-mail address, so it tells of no one"
        return ""


def read_addresses(config: Config, sink: str) -> Addresses:
    """Read the addresses of all leads from the tables that the sources were admitted to.

    Parameters
    ----------
    config : Config
    sink : str
        Who asks.

    Raises
    ------
    DeliveryError
        Leads have no column of addresses.
    """
    tables = CanonicalTables.kept_in(Workspace(config.workspace_directory).tables)
    if not tables.has("leads", "email"):
        raise DeliveryError(
            f"sink '{sink}' finds people by e-mail, and leads have no column 'email'",
            hint="Map it under sources.leads.columns.email, or choose another `match`.",
        )
    rows = pq.read_table(tables.path("leads"), columns=["lead_id", "email"]).to_pydict()
    pairs = zip(rows["lead_id"], rows["email"], strict=True)
    return Addresses(
        {lead: email.strip().lower() for lead, email in pairs if email and email.strip()}
    )


def without_addresses(text: str) -> str:
    """Return a receiver's words without the e-mail addresses in them, fit to be kept.

    Examples
    --------
    >>> without_addresses("Property email: 'ann@acme.example' is in use")
    "Property email: '(an address)' is in use"
    """
    return _ADDRESS.sub("(an address)", text)
