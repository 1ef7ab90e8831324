"""Names, domains, addresses and ids: the texts that tell one from another."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .people import HIGHER_EDUCATION, Accounts, Leads
from .rhythm import DAY, Clock, Ints
from .vocabulary import (
    COMPANY_ENDINGS,
    COMPANY_FORMS,
    COMPANY_KINDS,
    COMPANY_STEMS,
    FIRST_NAMES,
    LAST_NAMES,
)

CONTACTS_MERGED = 0.01
_UNIVERSITIES = 160
_FIRST_LEAD_ID = 1_000_001
_FIRST_OLD_ID = 400_000_001
_FIRST_ACCOUNT_ID = 50_000_003


def cookies(rng: np.random.Generator, count: int) -> pa.Array:
    """Draw visitor ids, 16 hexadecimal digits each."""
    digits = np.frombuffer(rng.bytes(8 * count).hex().encode(), dtype="S16")
    return pa.array(digits.astype("U16"))


class Ids:
    """The ids under which leads and accounts appear in the files.

    Attributes
    ----------
    lead, account : arrays of int64
        CRM ids.
    lead_texts, cookies, old_texts : arrow arrays of string, one entry a lead
        The contact id, the anonymous visitor id, and the id of an older contact of the same
        person, merged into this one at ``merged``.
    merged : array of int64
        Seconds since the world's beginning; -1 where nothing was merged.
    """

    def __init__(
        self, rng: np.random.Generator, clock: Clock, accounts: Accounts, leads: Leads, share: float
    ) -> None:
        count = len(leads)
        self.lead = _FIRST_LEAD_ID + 3 * np.arange(count)
        self.account = _FIRST_ACCOUNT_ID + 7 * np.arange(len(accounts.name))
        self.lead_texts = pa.array(self.lead).cast(pa.string())
        self.old_texts = pa.array(_FIRST_OLD_ID + np.arange(count)).cast(pa.string())
        self.cookies = cookies(rng, count)
        merged = leads.created + DAY * rng.integers(10, 200, count) + 5 * 3600
        keeps = (rng.random(count) >= share) | (merged >= clock.steps * 5 * DAY)
        self.merged: Ints = np.where(keeps, -1, merged)

    def recorded(self, lead: NDArray[np.int32], at: Ints) -> Ints:
        """Return the index of the id under which an event was recorded.

        Indices count through ``lead_texts`` and then ``old_texts``.
        """
        return np.where(at < self.merged[lead], lead + len(self.lead), lead).astype(np.int64)


def _take(words: list[str] | tuple[str, ...], index: NDArray[np.integer]) -> pa.Array:
    return pa.array(words, pa.string()).take(pa.array(index))


def _join(*parts: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def _place_names() -> list[str]:
    return [stem + ending for stem in COMPANY_STEMS for ending in COMPANY_ENDINGS]


def _university_domains(index: NDArray[np.integer]) -> pa.Array:
    places = _place_names()[:: len(COMPANY_STEMS) * len(COMPANY_ENDINGS) // _UNIVERSITIES]
    domains = [
        f"{place.lower()}.{'ac' if number % 4 == 0 else 'edu'}.example"
        for number, place in enumerate(places)
    ]
    return _take(domains, index % len(domains))


class CompanyNames:
    """Names and web domains of companies; institutions of higher education have theirs."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._place, self._kind = np.divmod(accounts.name, len(COMPANY_KINDS))
        self._teaches = pa.array(accounts.industry == HIGHER_EDUCATION)

    def names(self) -> pa.Array:
        """Return the names, (n,)."""
        place = _take(_place_names(), self._place)
        kind = _take([f" {kind}" for kind in COMPANY_KINDS], self._kind)
        form = _take(COMPANY_FORMS, self._accounts.form)
        return pc.if_else(self._teaches, _join("University of ", place), _join(place, kind, form))

    def domains(self) -> pa.Array:
        """Return the domains, (n,), all below the reserved ``.example``."""
        place = pc.ascii_lower(_take(_place_names(), self._place))
        slugs = [
            "".join(letter for letter in kind.lower().replace("ö", "oe") if letter.isalpha())
            for kind in COMPANY_KINDS
        ]
        domain = _join(place, "-", _take(slugs, self._kind), ".example")
        return pc.if_else(self._teaches, _university_domains(self._accounts.name), domain)


def emails(rng: np.random.Generator, accounts: Accounts, leads: Leads) -> pa.Array:
    """Draw addresses: at the company, at a university for most students, else free mail.

    Parameters
    ----------
    rng : numpy.random.Generator
    accounts : Accounts
    leads : Leads

    Returns
    -------
    (n,) arrow array of string
    """
    count = len(leads)
    first = _take([name.lower() for name in FIRST_NAMES], leads.first_name)
    last = _take([name.lower() for name in LAST_NAMES], leads.last_name)
    number = _take([str(n) for n in range(1000)], rng.integers(0, 1000, count))
    company = CompanyNames(accounts).domains().take(pa.array(np.maximum(leads.account, 0)))
    university = _university_domains(rng.integers(0, 1 << 20, count))
    free = _take(["gmail.com", "googlemail.com"], (rng.random(count) < 0.15).astype(np.int8))
    studies = leads.student & (rng.random(count) < 0.88)
    return pc.case_when(
        pc.make_struct(pa.array(studies), pa.array(leads.account >= 0)),
        _join(first, ".", last, number, "@", university),
        _join(first, ".", last, "@", company),
        _join(first, "_", last, number, "@", free),
    )
