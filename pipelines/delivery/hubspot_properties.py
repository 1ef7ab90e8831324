"""HubSpot's properties: which a contact needs, and whether those that are there can hold them."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from .fields import FIELDS, FieldType

GROUP = "leadlight"
"""The group that new properties are shown in."""

# The type, how it is shown, and whatever else HubSpot wants of such a property.
_KINDS: Mapping[FieldType, Mapping[str, Any]] = MappingProxyType(
    {
        "id": {"type": "string", "fieldType": "text"},
        "number": {"type": "number", "fieldType": "number", "numberDisplayHint": "percentage"},
        "whole": {"type": "number", "fieldType": "number"},
        "word": {"type": "string", "fieldType": "text"},
        "text": {"type": "string", "fieldType": "textarea"},
        "flag": {
            "type": "bool",
            "fieldType": "booleancheckbox",
            "options": [
                {"label": "Yes", "value": "true", "displayOrder": 0, "hidden": False},
                {"label": "No", "value": "false", "displayOrder": 1, "hidden": False},
            ],
        },
        "time": {"type": "datetime", "fieldType": "date"},
    }
)
_TAKES_ALL = {"string", "enumeration"}


def new_property(field: str, name: str, *, unique: bool = False) -> dict[str, Any]:
    """Return what HubSpot is asked to make for a field of ``FIELDS``.

    Parameters
    ----------
    field, name : str
        Ours, and HubSpot's.
    unique : bool
        Whether contacts are found by it; HubSpot cannot change that later.
    """
    made = {"name": name, "label": f"leadlight: {FIELDS[field].label}", "groupName": GROUP}
    return made | dict(_KINDS[FIELDS[field].type]) | ({"hasUniqueValue": True} if unique else {})


def trouble_with(present: Sequence[Mapping[str, Any]], wanted: Mapping[str, str], key: str) -> str:
    """Say why HubSpot's properties cannot hold what is sent; empty if they can.

    Parameters
    ----------
    present : sequence of mapping
        HubSpot's properties, as it tells them.
    wanted : mapping of str to str
        HubSpot's name of each field that is sent.
    key : str
        The property that contacts are found by; empty if it is none of ours.
    """
    there = {each["name"]: each for each in present}
    for field, name in wanted.items():
        found = there.get(name)
        if found is None:
            continue
        ours, theirs = _KINDS[FIELDS[field].type]["type"], found.get("type")
        if found.get("calculated") or _is_read_only(found):
            return f"property '{name}' is read-only there"
        if theirs != ours and theirs not in _TAKES_ALL:
            return f"property '{name}' is of type {theirs} there, and {field} is a {ours}"
        if name == key and not found.get("hasUniqueValue"):
            return f"property '{name}' is not unique there, so no contact can be found by it"
    return ""


def _is_read_only(found: Mapping[str, Any]) -> bool:
    return bool((found.get("modificationMetadata") or {}).get("readOnlyValue"))
