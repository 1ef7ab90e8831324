"""Reading the configuration file: YAML, variables of the environment, and where each key stands."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from leadlight.features.errors import ConfigError, did_you_mean

KeyPath = tuple[str | int, ...]

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")


@dataclass(frozen=True)
class ConfigDocument:
    """The configuration file as plain data.

    Attributes
    ----------
    path : Path
    data : object
        Mappings, lists and scalars, with variables filled in. Dates stay texts.
    lines : mapping of key path to int
        Line of each key, from 1.
    written : mapping of key path to str
        Texts with variables, as they stand in the file.
    """

    path: Path
    data: Any
    lines: Mapping[KeyPath, int]
    written: Mapping[KeyPath, str]

    def place(self, key_path: KeyPath) -> str:
        """Return ``file:line`` of a key, or of the nearest one above it that is in the file."""
        while key_path and key_path not in self.lines:
            key_path = key_path[:-1]
        line = self.lines.get(key_path)
        return f"{self.path}:{line}" if line else str(self.path)


def read_config_file(path: Path, environ: Mapping[str, str]) -> ConfigDocument:
    """Read YAML and fill in ``${VARIABLE}`` and ``${VARIABLE:-default}``.

    Raises
    ------
    ConfigError
        No such file, not YAML, a key twice, a variable that is not set.
    """
    text = _text(path)
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise ConfigError(f"{path} is empty", hint=_INIT)
        reading = _Reading(path, environ, loader)
        data = reading.value(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise ConfigError(f"{place}: not valid YAML: {error.problem}", hint=_QUOTES) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {error}", hint=_QUOTES) from None
    except RecursionError:
        raise ConfigError(f"{path} is nested too deeply to be read") from None
    finally:
        if loader is not None:
            loader.dispose()
    return ConfigDocument(path, data, reading.lines, reading.written)


_INIT = "Run `leadlight init DIR` on the folder with your data to have one written."
_QUOTES = (
    "Indent with spaces, and put quotes around texts with ': ' or '#', and around ${VARIABLE} "
    "between braces or brackets."
)


class _Loader(yaml.SafeLoader):
    """YAML 1.2 scalars: dates, times of day, yes and no, and 007 stay texts."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 -- the name that PyYAML reads


_TAG = "tag:yaml.org,2002:"
for _kind, _pattern, _first in (
    ("bool", r"^(true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"^[-+]?(0|[1-9][0-9]*)$", "-+0123456789"),
    (
        "float",
        r"^([-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$",
        "-+.0123456789",
    ),
):
    _Loader.add_implicit_resolver(_TAG + _kind, re.compile(_pattern), list(_first))


@dataclass
class _Reading:
    path: Path
    environ: Mapping[str, str]
    loader: _Loader
    lines: dict[KeyPath, int] = field(default_factory=dict)
    written: dict[KeyPath, str] = field(default_factory=dict)
    _open: list[int] = field(default_factory=list)

    def value(self, node: yaml.Node, at: KeyPath) -> Any:
        self.lines.setdefault(at, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, at)
        if node.tag not in {_TAG + "map", _TAG + "seq"}:
            raise self._error(node, at, f"the tag {node.tag} has no meaning here")
        if id(node) in self._open:
            raise self._error(node, at, "this part contains itself")
        self._open.append(id(node))
        if isinstance(node, yaml.MappingNode):
            found: Any = self._mapping(node, at)
        else:
            found = [self.value(item, (*at, index)) for index, item in enumerate(node.value)]
        self._open.pop()
        return found

    def _mapping(self, node: yaml.MappingNode, at: KeyPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str):
                raise self._error(key_node, at, "a key must be a text")
            if key in found:
                first = self.lines[(*at, key)]
                raise self._error(key_node, (*at, key), f"this key is already on line {first}")
            self.lines[(*at, key)] = key_node.start_mark.line + 1
            found[key] = self.value(value_node, (*at, key))
        return found

    def _scalar(self, node: yaml.ScalarNode, at: KeyPath) -> Any:
        if "${" in node.value:
            self.written[at] = node.value
            text = self._filled(node, at)
            is_plain = node.style is None
            tag = self.loader.resolve(  # type: ignore[no-untyped-call]
                yaml.ScalarNode, text, (is_plain, not is_plain)
            )
            node = yaml.ScalarNode(tag, text, node.start_mark, node.end_mark, node.style)
        return self.loader.construct_object(node)

    def _filled(self, node: yaml.ScalarNode, at: KeyPath) -> str:
        def fill(match: re.Match[str]) -> str:
            found = self.environ.get(match["name"]) or match["default"]
            if found is None:
                raise self._error(
                    node,
                    at,
                    f"the environment variable {match['name']} is not set."
                    + did_you_mean(match["name"], self.environ),
                    hint=f"Set it (export {match['name']}=...), or give a default: "
                    f"${{{match['name']}:-value}}.",
                )
            return found

        if _VARIABLE.sub("", node.value).count("${"):
            raise self._error(
                node, at, "cannot be read: write ${NAME} or ${NAME:-default}, letters and digits"
            )
        return _VARIABLE.sub(fill, node.value)

    def _error(
        self, node: yaml.Node, at: KeyPath, text: str, *, hint: str | None = None
    ) -> ConfigError:
        line = node.start_mark.line + 1
        where = f"{key_text(at)}: " if at else ""
        return ConfigError(f"{self.path}:{line}: {where}{text}", hint=hint)


def key_text(key_path: KeyPath) -> str:
    """Write a key path as people say it.

    Examples
    --------
    >>> key_text(("sources", "events", 1, "columns"))
    'sources.events[1].columns'
    """
    text = ""
    for part in key_path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"there is no configuration file {path}", hint=_INIT) from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path} is not UTF-8 (byte {error.start})", hint="Save it as UTF-8."
        ) from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
