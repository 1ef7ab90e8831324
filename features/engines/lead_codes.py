"""Codes of some leads in memory, and whose the events of a name are, as ``event_names`` has it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

_ALWAYS = -(2**63)
Group = tuple[str, bool]
_TIME = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class LeadCodes:
    """What ``leads_sql``, ``names_sql`` and ``owners_sql`` say, of leads of one bucket.

    Attributes
    ----------
    leads : Table
        ``lead_id, account_id, bucket, last_as_of, code, account``.
    names : Table
        ``name, of_account, bucket, code``.
    owners : Table
        ``bucket, name, lead, account, linked_at, last_as_of, own``.
    """

    leads: pa.Table
    names: pa.Table
    owners: pa.Table

    @classmethod
    def of(cls, tables: Mapping[str, pa.Table], snapshots: pa.Table) -> Self:
        """Give codes to the leads of some snapshots and to those of their accounts."""
        accounts = _accounts(tables, snapshots)
        groups = {lead: _group(lead, account) for lead, account in accounts.items()}
        last: dict[Group, int] = {}
        instants = pc.cast(snapshots["as_of"], pa.int64()).to_pylist()
        for lead, as_of in zip(snapshots["lead_id"].to_pylist(), instants, strict=True):
            last[groups[lead]] = max(as_of, last.get(groups[lead], as_of))
        matter = sorted(lead for lead, group in groups.items() if group in last)
        codes = {lead: code for code, lead in enumerate(matter)}
        numbers = {group: number for number, group in enumerate(sorted(last))}
        names: dict[tuple[str, bool], int] = {}
        rows = [
            (
                names.setdefault((name, of_account), len(names)),
                codes[lead],
                numbers[groups[lead]],
                linked_at,
                last[groups[lead]],
                not of_account,
            )
            for name, of_account, lead, linked_at in _filed_under(tables, matter, accounts)
        ]
        leads = {
            "lead_id": pa.array(matter, pa.string()),
            "account_id": pa.array([accounts[lead] for lead in matter], pa.string()),
            "bucket": pa.array([0] * len(matter), pa.int32()),
            "last_as_of": pa.array([last[groups[lead]] for lead in matter], pa.int64()).cast(_TIME),
            "code": pa.array(range(len(matter)), pa.int64()),
            "account": pa.array([numbers[groups[lead]] for lead in matter], pa.int64()),
        }
        return cls(pa.table(leads), _names(names), _owners(rows))


def _group(lead: str, account: str | None) -> Group:
    """Return the account, or for a lead without one the lead."""
    return (lead, True) if account is None else (account, False)


def _accounts(tables: Mapping[str, pa.Table], snapshots: pa.Table) -> dict[str, str | None]:
    """Return the account of each lead."""
    leads = tables["leads"]
    own = leads["account_id"] if "account_id" in leads.column_names else pa.nulls(len(leads))
    accounts = dict(zip(leads["lead_id"].to_pylist(), own.to_pylist(), strict=True))
    seen = zip(snapshots["lead_id"].to_pylist(), snapshots["account_id"].to_pylist(), strict=True)
    return (
        accounts
        | {lead: account for lead, account in seen if account is not None}
        | {lead: None for lead in snapshots["lead_id"].to_pylist() if lead not in accounts}
    )


def _filed_under(
    tables: Mapping[str, pa.Table], leads: list[str], accounts: Mapping[str, str | None]
) -> Iterator[tuple[str, bool, str, int]]:
    """Yield names, whether they are accounts', their leads, and since when that is known."""
    known = set(leads)
    for lead in leads:
        yield lead, False, lead, _ALWAYS
        if (account := accounts[lead]) is not None:
            yield account, True, lead, _ALWAYS
    if "identities" not in tables:
        return
    links = tables["identities"]
    earliest: dict[tuple[str, str], int] = {}
    instants = pc.cast(links["linked_at"], pa.int64()).to_pylist()
    for alias, lead, at in zip(
        links["alias"].to_pylist(), links["lead_id"].to_pylist(), instants, strict=True
    ):
        if lead in known and alias != lead:
            earliest[alias, lead] = min(at, earliest.get((alias, lead), at))
    for (alias, lead), at in earliest.items():
        yield alias, False, lead, at


def _names(codes: Mapping[tuple[str, bool], int]) -> pa.Table:
    return pa.table(
        {
            "name": pa.array([name for name, _ in codes], pa.string()),
            "of_account": pa.array([of_account for _, of_account in codes], pa.bool_()),
            "bucket": pa.array([0] * len(codes), pa.int32()),
            "code": pa.array(codes.values(), pa.int64()),
        }
    )


def _owners(rows: list[tuple[int, int, int, int, int, bool]]) -> pa.Table:
    names = ("name", "lead", "account", "linked_at", "last_as_of")
    columns = {
        name: pa.array([row[at] for row in rows], pa.int64()) for at, name in enumerate(names)
    }
    return pa.table({**columns, "own": pa.array([row[-1] for row in rows], pa.bool_())})
