"""Writing a project's first configuration by looking at its data."""

import json
import os
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from leadlight.features.errors import ConfigError, WorkspaceError
from leadlight.features.sql import identifier

from .column_roles import Recognised
from .column_words import ENGAGEMENT_WORDS, LEAK_WORDS, MISSING_WORDS, PERSONAL_WORDS
from .raw_tables import RawTable, read_raw_tables
from .recognition import Recognition, recognise

NAME = "leadlight.yaml"
_WIDTH = 96
_TITLES = {
    "leads": "people or companies who might buy",
    "accounts": "companies that leads belong to",
    "events": "what leads did, and when",
    "outcomes": "deals won and lost",
    "feedback": "what sales said of MQLs",
    "identities": "anonymous visitors and merged contacts, and who they became known as",
}


@dataclass(frozen=True)
class Initialisation:
    """What was written, and from what.

    Attributes
    ----------
    path : Path
        The configuration file.
    tables : mapping of str to tuple of str
        Canonical table -> names of the raw tables that feed it.
    notes : tuple of str
        What was recognised, what to check, and what was left out.
    """

    path: Path
    tables: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]


def initialise(directory: Path) -> Initialisation:
    """Look at the table files below a folder and write a commented ``leadlight.yaml`` there.

    Parameters
    ----------
    directory : Path
        Folder with CSV, gzip CSV, TSV, Parquet or DuckDB files, searched recursively.

    Returns
    -------
    Initialisation

    Raises
    ------
    ConfigError
        No such folder, a configuration is there already, or there are no leads among its tables.
    WorkspaceError
        The file cannot be written.
    """
    path = directory / NAME
    if not directory.is_dir():
        raise ConfigError(f"there is no folder {directory}", hint="Name the folder with your data.")
    if path.exists():
        raise ConfigError(
            f"{path} is there already", hint="Edit it, or move it away and run init again."
        )
    recognition = recognise(read_raw_tables(directory))
    if not recognition.of("leads"):
        raise ConfigError(_nobody(directory, recognition), hint=_WHAT_LEADS_LOOK_LIKE)
    notes = tuple(_notes(recognition))
    _write(path, "\n".join(_lines(directory, recognition)) + "\n")
    tables = {
        table: tuple(one.raw.label for one in recognition.of(table))
        for table in _TITLES
        if recognition.of(table)
    }
    return Initialisation(path, tables, notes)


_WHAT_LEADS_LOOK_LIKE = (
    "Leads are a table with an id for each row and the time of its creation "
    "(id, created_at, email, ...), or one with a label of two values (converted: 0/1)."
)
_NO_OUTCOMES = (
    "Nothing says who converted. Complete `outcomes` in the file: a table of deals with a lead or "
    "an account, a closing time, and whether it was won."
)


def _nobody(directory: Path, recognition: Recognition) -> str:
    if not recognition.left_out:
        return f"{directory} has no CSV, TSV, Parquet or DuckDB file"
    return f"no table of leads was recognised in {directory}: " + "; ".join(recognition.left_out)


def _notes(recognition: Recognition) -> Iterator[str]:
    for one in recognition.found:
        mapped = ", ".join(f"{name} = {column}" for name, column in one.columns.items())
        yield f"{one.table}: {one.raw.label} ({mapped or 'row numbers as ids'})"
        yield from (f"check {one.table}: {remark}" for remark in one.remarks)
    if not recognition.of("outcomes") and not recognition.is_flat:
        yield _NO_OUTCOMES
    yield from (f"left out: {sentence}" for sentence in recognition.left_out)


def _lines(directory: Path, recognition: Recognition) -> Iterator[str]:
    project = re.sub(r"[^A-Za-z0-9_-]+", "-", directory.resolve().name).strip("-") or "leads"
    yield "# Written by `leadlight init`: a proposal. Read it, then run `leadlight check`."
    yield f"project: {_scalar(project)}"
    yield ""
    yield "sources:"
    for table, title in _TITLES.items():
        ones = recognition.of(table)
        if ones:
            yield f"  {table}:  # {title}"
            yield from (line for one in ones for line in _source_lines(one, several=len(ones) > 1))
    if recognition.is_flat:
        yield from _flat_lines(recognition.of("leads")[0])
    else:
        yield from _lifecycle_lines(recognition)
    if recognition.left_out:
        yield ""
        yield "# Left out:"
        for sentence in recognition.left_out:
            yield from textwrap.wrap(
                _comment(sentence), _WIDTH, initial_indent="#   ", subsequent_indent="#     "
            )


def _source_lines(one: Recognised, *, several: bool) -> Iterator[str]:
    lines = [f"path: {_scalar(one.raw.path)}"]
    if one.raw.name and "." in one.raw.name:
        lines.append(f"query: {_scalar(f'FROM {identifier(one.raw.name)}')}")
    elif one.raw.name:
        lines.append(f"name: {_scalar(one.raw.name)}")
    if one.raw.encoding:
        lines.append(f"encoding: {one.raw.encoding}")
    renamed = {name: raw for name, raw in one.columns.items() if name != raw}
    if renamed:
        lines += _columns(renamed)
    lines += [f"# Check: {_comment(remark)}" for remark in one.remarks]
    lines += [f"{key}: {_scalar(value)}" for key, value in one.settings.items()]
    if one.table == "leads" and "won" in one.settings:
        if "order_by" not in one.settings:
            lines.append("# order_by: row  # if the rows of the file are in the order of time")
        if missing := _missing(one.raw):
            lines.append(f"missing: {_list(missing)}")
    for place, line in enumerate(lines):
        yield ("    - " if several and place == 0 else "      " if several else "    ") + line


def _columns(columns: Mapping[str, str]) -> list[str]:
    items = [f"{name}: {_scalar(raw)}" for name, raw in columns.items()]
    one_line = f"columns: {{{', '.join(items)}}}"
    return [one_line] if len(one_line) < _WIDTH else ["columns:", *(f"  {item}" for item in items)]


def _flat_lines(leads: Recognised) -> Iterator[str]:
    free = _free_columns(leads)
    yield ""
    yield "features:"
    engagement = [name for name in free if ENGAGEMENT_WORDS.search(name) and not _is_leak(name)]
    yield "  # What a lead did, in distinction from who it is:"
    yield from _name_lines("engagement", engagement)
    yield from _exclude_lines(free)
    yield ""
    yield "# The best tenth becomes MQLs; or {policy: probability, probability: 0.3}"
    yield "mql: {policy: top_share, share: 0.1}"


def _lifecycle_lines(recognition: Recognition) -> Iterator[str]:
    if not recognition.of("outcomes"):
        yield "  # Nothing says who converted; complete this:"
        yield "  # outcomes:"
        yield "  #   path: deals.csv"
        yield "  #   columns: {lead_id: contact_id, closed_at: close_date}"
        yield "  #   won: \"stage = 'closedwon'\""
    horizon = _horizon(recognition)
    yield ""
    yield "label:"
    yield f"  horizon_days: {horizon}  # a win within so many days after a look at the lead counts"
    yield "snapshots:"
    yield "  every_days: 30  # or at_age_days: [3]: one look, three days after creation"
    yield ""
    yield "features:"
    yield "  lookback_days: [7, 30, 90]"
    profiles = [one for one in recognition.found if one.table in {"leads", "accounts"}]
    yield from _exclude_lines(
        [name for one in profiles for name in _free_columns(one)],
        [name for one in profiles for name in _outcome_columns(one, recognition)],
    )
    yield ""
    yield "# The best tenth becomes MQLs; or as many as sales can work:"
    yield "# {policy: capacity, leads_per_week: 200, minimum: {fit: 0.2, engagement: 0.2}}"
    yield "mql: {policy: top_share, share: 0.1}"


def _outcome_columns(profile: Recognised, recognition: Recognition) -> list[str]:
    """Columns of leads that outcomes are read from as well, where the CRM keeps both together."""
    outcomes = [one for one in recognition.of("outcomes") if one.raw is profile.raw]
    read = [name for one in outcomes for name in (one.columns["closed_at"], one.label)]
    return [name for name in read if name]


def _exclude_lines(columns: Iterable[str], outcomes: Iterable[str] = ()) -> Iterator[str]:
    suspicious = [name for name in columns if _is_leak(name) or _is_personal(name)]
    excluded = list(dict.fromkeys([*outcomes, *suspicious]))
    yield "  # Never to be used: what sales or the CRM fill in later knows the outcome already."
    yield "  # Look for more of the kind."
    yield from _name_lines("exclude", excluded)


def _name_lines(key: str, names: list[str]) -> Iterator[str]:
    one_line = f"  {key}: {_list(names)}"
    if len(one_line) < _WIDTH:
        yield one_line
        return
    yield f"  {key}:"
    yield from (f"    - {_scalar(name)}" for name in names)


def _free_columns(one: Recognised) -> list[str]:
    taken = {*one.columns.values(), one.settings.get("order_by"), one.label}
    return [column.name for column in one.raw.columns if column.name not in taken]


def _is_leak(name: str) -> bool:
    return LEAK_WORDS.search(name.removeprefix("property_")) is not None


def _is_personal(name: str) -> bool:
    return PERSONAL_WORDS.search(name.removeprefix("property_")) is not None


def _missing(raw: RawTable) -> list[str]:
    seen = {value for column in raw.columns if column.kind == "text" for value in column.distinct}
    return [word for word in MISSING_WORDS if word in seen]


def _horizon(recognition: Recognition) -> int:
    """Choose days that the history holds several times over."""
    days = [
        day
        for one in recognition.of("outcomes")
        for value in one.raw.all_values(one.columns["closed_at"])
        if (day := _day(value)) is not None
    ]
    span = (max(days) - min(days)).days if days else 0
    return 90 if span >= 450 or not days else 60 if span >= 300 else 30


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _scalar(text: str) -> str:
    """Write a text so that YAML reads it back as it is, between braces too."""
    is_plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*", text)
    is_word = text.lower() in {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
    if is_plain and not is_word:
        return text
    if "'" not in text and text.isprintable():
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _list(names: Iterable[str]) -> str:
    return f"[{', '.join(map(_scalar, names))}]"


def _comment(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise WorkspaceError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
