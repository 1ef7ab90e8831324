"""The command line: the only room that prints, and where every error becomes one clear message."""

import errno
import json
import shutil
import sys
import warnings
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

from .progress import Progress

INTERRUPTED = 130
_OUT = Console(highlight=False)
_ERR = Console(stderr=True, highlight=False)


class _OneClearMessage(TyperGroup):
    """Turns whatever a user can cause into one message and an exit code, never a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except LeadlightError as error:
            raise _refusal(error) from error
        except KeyboardInterrupt as error:
            _ERR.print("Interrupted. Nothing half-written was left; run the command again.")
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
_DEMO_FILES = {
    "activities.parquet",
    "companies.parquet",
    "contacts.csv",
    "deals.csv",
    "email.csv.gz",
    "feedback.csv",
    "identities.csv",
    "leadlight.yaml",
    "page_views",
    "scores.csv",
    "truth",
    "workspace",
}


@app.callback(invoke_without_command=True)
def leadlight(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Score leads, decide who is an MQL, and say why."""
    if version:
        from importlib.metadata import version as package_version  # noqa: PLC0415

        _OUT.print(package_version("leadlight"))
    elif ctx.invoked_subcommand is None:
        _OUT.print(ctx.get_help())


@app.command()
def demo(
    directory: Annotated[
        Path, typer.Argument(help="Folder to make; an earlier demo there is replaced.")
    ] = Path("demo"),
    leads: Annotated[int, typer.Option(min=500, help="How many leads the world has.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Another seed, another world.")] = 0,
) -> None:
    """Generate a demo world and run the main job on it, end to end.

    Example: leadlight demo
    """
    from .demo.world import WorldSpec, generate_world  # noqa: PLC0415
    from .report.job import write_report  # noqa: PLC0415
    from .score import score  # noqa: PLC0415
    from .scores import hottest  # noqa: PLC0415
    from .terminal import door_table, hottest_table  # noqa: PLC0415
    from .train import train  # noqa: PLC0415

    progress = Progress()
    _clear_earlier_demo(directory)
    with progress.stage("Generating the demo world"):
        generate_world(WorldSpec(leads=leads, seed=seed), directory)
    config = _load(directory / "leadlight.yaml")
    trained = train(config, progress)
    _OUT.print(door_table(trained.door))
    _print_training(trained)
    scored = score(config, progress, csv=directory / "scores.csv")
    _OUT.print(hottest_table(hottest(scored.partition, 10)))
    with progress.stage("Writing the report"):
        report = write_report(config)
    _say(f"{scored.leads:,} leads scored, {scored.mqls:,} are MQLs.")
    _say(f"Scores: {scored.partition} and {directory / 'scores.csv'}")
    _say(f"Report: {report.resolve()}")
    lead = hottest(scored.partition, 1)[0]["lead_id"]
    _say(f"Next:   leadlight explain {lead} --config {directory / 'leadlight.yaml'}")


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(help="Folder with the raw tables.")] = Path(),
) -> None:
    """Look at a folder's files and write a commented leadlight.yaml that runs.

    Example: leadlight init exports/
    """
    from .initialise import initialise  # noqa: PLC0415

    done = initialise(directory)
    for note in done.notes:
        _say(note)
    _say(f"Wrote {done.path}. Read it, then: leadlight check --config {done.path}")


@app.command()
def check(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Read and validate the sources, quarantine bad rows, and audit columns and events for leaks.

    Example: leadlight check
    """
    from .check import check as check_job  # noqa: PLC0415
    from .prepare import door_summary  # noqa: PLC0415
    from .terminal import door_table  # noqa: PLC0415

    checked = check_job(_load(config), Progress(quiet=as_json))
    report = checked.door
    if as_json:
        _print_json({**door_summary(report), "leaks": list(checked.leaks.leaks)})
        return
    _OUT.print(door_table(report))
    for note in (*report.notes, *checked.leaks.sentences, *checked.leaks.notes):
        _say(note)
    if report.quarantine:
        _say(f"Quarantine: {report.quarantine}")


@app.command()
def train(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Train on mature snapshots, evaluate on a later window, and register the champion.

    Progress is told on standard error. Exit code 3 says that there is no usable signal: nothing is
    registered, and the champion stays as it was.

    Example: leadlight train
    """
    from .train import train as train_job  # noqa: PLC0415
    from .training_record import no_signal_story  # noqa: PLC0415

    try:
        trained = train_job(_load(config), Progress())
    except NoSignalError as error:
        if as_json:
            _print_json({"version": None, **no_signal_story(error)})
        raise
    if as_json:
        _print_json({"version": trained.number, **trained.story})
    else:
        _print_training(trained)


@app.command()
def score(
    config: ConfigOption = DEFAULT_CONFIG,
    as_of: Annotated[
        str | None,
        typer.Option(help="Score as of this UTC date or time; default: after the newest data."),
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write a CSV file too.")] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse categories that training never saw.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Score every lead that is at risk with the champion, and decide who is an MQL.

    Example: leadlight score --as-of 2026-01-01 --csv scores.csv
    """
    from .score import score as score_job  # noqa: PLC0415
    from .scores import hottest  # noqa: PLC0415
    from .terminal import hottest_table  # noqa: PLC0415

    scored = score_job(
        _load(config),
        Progress(quiet=as_json),
        as_of=_utc(as_of) if as_of else None,
        csv=csv,
        strict=strict,
    )
    if as_json:
        _print_json(scored.to_dict())
        return
    _OUT.print(hottest_table(hottest(scored.partition, 10)))
    for note in scored.notes:
        _say(note)
    _say(f"{scored.leads:,} leads scored, {scored.mqls:,} are MQLs: {scored.partition}")


@app.command()
def explain(
    lead_id: Annotated[str, typer.Argument(help="The lead's id in the CRM.")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Say why a lead is, or is not, an MQL: its newest score as a card.

    Example: leadlight explain 4711
    """
    from .explain import explain as explain_lead  # noqa: PLC0415
    from .terminal import lead_card  # noqa: PLC0415

    card = explain_lead(_load(config), lead_id)
    if as_json:
        _print_json(card.to_dict())
    else:
        _OUT.print(lead_card(card.score, definition=card.definition))


@app.command()
def report(
    config: ConfigOption = DEFAULT_CONFIG,
    out: Annotated[Path | None, typer.Option(help="Where to write the page.")] = None,
) -> None:
    """Write one self-contained page: can the score be trusted, what drives it, who is hot.

    Example: leadlight report --out report.html
    """
    from .report.job import write_report  # noqa: PLC0415

    _say(str(write_report(_load(config), out).resolve()))


@app.command()
def schema() -> None:
    """Print the JSON schema of leadlight.yaml, for editors.

    Example: leadlight schema > leadlight.schema.json
    """
    from .config import config_schema  # noqa: PLC0415

    _print_json(config_schema())


def main() -> None:
    """Run the command line."""
    # What libraries warn of is for developers; what a user should know is said in words.
    warnings.simplefilter("ignore")
    app()


def _load(path: Path) -> Any:
    from .config import load_config  # noqa: PLC0415

    return load_config(path)


def _clear_earlier_demo(directory: Path) -> None:
    # Only what this command made is replaced; a folder with anything else is refused later on.
    found = {path.name for path in directory.iterdir()} if directory.is_dir() else set()
    if {"leadlight.yaml", "truth"} <= found <= _DEMO_FILES:
        shutil.rmtree(directory)


def _utc(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise LeadlightError(
            f"--as-of: '{text}' is not a date or time",
            hint="Write it like 2026-01-31 or 2026-01-31T06:00Z.",
        ) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _say(text: str) -> None:
    """Print a line as it is: a path may hold what rich would take for markup."""
    _OUT.print(text, markup=False, soft_wrap=True)


def _print_training(trained: Any) -> None:
    from .terminal import training_summary  # noqa: PLC0415

    _OUT.print(training_summary(trained.story, trained.number))


def _print_json(data: object) -> None:
    sys.stdout.write(json.dumps(data, indent=1, ensure_ascii=False, default=str) + "\n")


def _workspace_error(error: OSError) -> WorkspaceError:
    where = str(error.filename or "a file")
    if says_disk_is_full(error):
        return disk_is_full(where)
    return WorkspaceError(f"cannot use {where}: {error.strerror or error}")


def _refusal(error: LeadlightError) -> typer.Exit:
    _ERR.print(Text.assemble(("Error: ", "bold red"), error.message), soft_wrap=True)
    if isinstance(error, NoSignalError):
        for tried in error.tried:
            _ERR.print(Text(f"Tried: {tried}"), soft_wrap=True)
    if error.hint:
        _ERR.print(Text(error.hint), soft_wrap=True)
    if isinstance(error, DataQualityError):
        _ERR.print("Nothing was trained or scored.")
    return typer.Exit(error.exit_code)
