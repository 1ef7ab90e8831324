"""What is wrong with a configuration, in words: file and line, key, and the nearest known word."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from leadlight.features.errors import ConfigError, did_you_mean

from .config_delivery import SINK_KINDS
from .config_file import ConfigDocument, KeyPath, key_text

_MOST = 10

# Of pydantic's kinds of error, those whose own words would not help the person who wrote the file.
_WORDS = {
    "missing": "is missing",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
    "dict_type": "must be a mapping of keys to values",
    "tuple_type": "must be a list: [a, b]",
    "string_type": "must be a text; put it in quotes",
    "string_too_short": "is empty",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must name at least one",
    "date_from_datetime_parsing": "must be a date: 2024-01-31",
    "date_parsing": "must be a date: 2024-01-31",
    "date_type": "must be a date: 2024-01-31",
    "string_pattern_mismatch": "must look like 2GB or 512MB",
}

_TAGS_MISSING = {
    "policy": "say `policy`: capacity, top_share or probability",
    "kind": f"say `kind`: {', '.join(SINK_KINDS)}",
}


def config_error(error: ValidationError, document: ConfigDocument) -> ConfigError:
    """Turn a validation error into one for the person who wrote the file.

    Values are shown only where they are numbers, booleans or words of a short list: any other may
    be a secret.
    """
    lines = [
        f"{document.place(key_path)}: {key_text(key_path) + ': ' if key_path else ''}{words}"
        for key_path, words in _problems(error, document.data)
    ]
    more = [f"... and {len(lines) - _MOST} more"] if len(lines) > _MOST else []
    return ConfigError("\n".join(lines[:_MOST] + more))


def _problems(error: ValidationError, data: Any) -> Iterator[tuple[KeyPath, str]]:
    for detail in error.errors(include_url=False):
        key_path = _as_written(detail["loc"], data)
        context = detail.get("ctx", {})
        if detail["type"] == "unknown_keys":
            for key, nearest in context["keys"].items():
                known = nearest or f" Known: {', '.join(context['known'])}"
                yield (*key_path, key), f"unknown key.{known}"
        elif detail["type"] in {"literal_error", "union_tag_invalid"}:
            expected = re.findall(r"'([^']*)'", context.get("expected_tags") or context["expected"])
            yield from _unknown_word(key_path, detail["input"], expected)
        elif detail["type"] == "union_tag_not_found":
            yield key_path, _TAGS_MISSING[_tag(key_path) or "policy"]
        else:
            yield key_path, _words(detail["type"], detail["msg"], detail["input"], context)


def _unknown_word(
    key_path: KeyPath, value: object, expected: list[str]
) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, Mapping):
        tag = _tag(key_path) or "policy"
        key_path, value = (*key_path, tag), value[tag]
    nearest = did_you_mean(str(value), expected)
    yield key_path, f"'{value}' is not known.{nearest} Known: {', '.join(expected)}"


def _words(kind: str, message: str, value: object, context: dict[str, Any]) -> str:
    if kind not in _WORDS:
        return message
    words = _WORDS[kind].format(**context)
    is_shown = kind not in {"missing", "string_too_short"} and isinstance(value, (bool, int, float))
    return f"{words}, not {str(value).lower()}" if is_shown else words


def _tag(key_path: KeyPath) -> str | None:
    """Name the key whose word says which other keys a section has."""
    if key_path == ("mql",):
        return "policy"
    return "kind" if key_path[:2] == ("delivery", "sinks") and len(key_path) == 3 else None


def _as_written(location: tuple[int | str, ...], data: Any) -> KeyPath:
    """Drop what the validator adds: a policy's tag, the index of a mapping that stands alone."""
    key_path: list[int | str] = []
    for part in location:
        is_index_of_one = isinstance(part, int) and isinstance(data, Mapping)
        tag = _tag(tuple(key_path))
        is_tag = tag is not None and isinstance(data, Mapping) and part == data.get(tag)
        if is_index_of_one or is_tag:
            continue
        key_path.append(part)
        if isinstance(data, Mapping):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            data = None
    return tuple(key_path)
