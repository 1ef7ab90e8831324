"""The console: how the command line speaks, and where every error becomes one clear message."""

import errno
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup

from leadlight.features.errors import (
    DataQualityError,
    LeadlightError,
    NoSignalError,
    WorkspaceError,
    disk_is_full,
    says_disk_is_full,
)

INTERRUPTED = 130
OUT = Console(highlight=False)
ERR = Console(stderr=True, highlight=False)


class _OneClearMessage(TyperGroup):
    """Turns whatever a user can cause into one message and an exit code, never a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except LeadlightError as error:
            raise _refusal(error) from error
        except KeyboardInterrupt as error:
            ERR.print("Interrupted. Nothing half-written was left; run the command again.")
            raise typer.Exit(INTERRUPTED) from error
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            raise _refusal(_workspace_error(error)) from error


_EXIT_CODES = """Exit codes, for a scheduler:

0 done;

1 refused, and the message says what to mend: configuration, data, registry, disk;

2 the command was not understood;

3 no usable signal: nothing was registered, and the champion stays as it was;

4 retrained, and the champion was kept: the challenger did not pass the gate, or it is too early;

5 a sink was not told everything: the rest waits, run `leadlight deliver` again;

6 so many leads would change their state that `--confirm` is asked for; nothing was sent;

7 `leadlight monitor` could not look; of it, 1 means attention and 2 act;

130 interrupted."""

app = typer.Typer(
    cls=_OneClearMessage,
    help="Glass-box lead scoring: who is an MQL, how sure that is, and why.",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", help="The project's configuration file.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")]
DEFAULT_CONFIG = Path("leadlight.yaml")


@app.callback(invoke_without_command=True)
def leadlight(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Score leads, decide who is an MQL, and say why."""
    if version:
        from importlib.metadata import version as package_version  # noqa: PLC0415

        OUT.print(package_version("leadlight"))
    elif ctx.invoked_subcommand is None:
        OUT.print(ctx.get_help())


def load(path: Path) -> Any:
    """Read the configuration, or refuse it."""
    from leadlight.pipelines.config import load_config  # noqa: PLC0415

    return load_config(path)


def utc(text: str, option: str) -> datetime:
    """Read a date or time that an option gives; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise LeadlightError(
            f"{option}: '{text}' is not a date or time",
            hint="Write it like 2026-01-31 or 2026-01-31T06:00Z.",
        ) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def say(text: str) -> None:
    """Print a line as it is: a path may hold what rich would take for markup."""
    OUT.print(text, markup=False, soft_wrap=True)


def print_json(data: object) -> None:
    """Print plain data for a machine."""
    sys.stdout.write(json.dumps(data, indent=1, ensure_ascii=False, default=str) + "\n")


def _workspace_error(error: OSError) -> WorkspaceError:
    where = str(error.filename or "a file")
    if says_disk_is_full(error):
        return disk_is_full(where)
    return WorkspaceError(f"cannot use {where}: {error.strerror or error}")


def _refusal(error: LeadlightError) -> typer.Exit:
    ERR.print(Text.assemble(("Error: ", "bold red"), error.message), soft_wrap=True)
    if isinstance(error, NoSignalError):
        for tried in error.tried:
            ERR.print(Text(f"Tried: {tried}"), soft_wrap=True)
    if error.hint:
        ERR.print(Text(error.hint), soft_wrap=True)
    if isinstance(error, DataQualityError):
        ERR.print("Nothing was trained or scored.")
    return typer.Exit(error.exit_code)
