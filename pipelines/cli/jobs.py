"""The main job's commands: from raw tables to scores and a page."""

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from leadlight.features.errors import NoSignalError
from leadlight.pipelines.progress import Progress

from .console import DEFAULT_CONFIG, OUT, ConfigOption, JsonOption, app, load, print_json, say, utc

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
    from leadlight.pipelines.demo.world import WorldSpec, generate_world  # noqa: PLC0415
    from leadlight.pipelines.report.job import write_report  # noqa: PLC0415
    from leadlight.pipelines.score import score  # noqa: PLC0415
    from leadlight.pipelines.scores import hottest  # noqa: PLC0415
    from leadlight.pipelines.terminal import door_table, hottest_table  # noqa: PLC0415
    from leadlight.pipelines.train import train  # noqa: PLC0415

    progress = Progress()
    _clear_earlier_demo(directory)
    with progress.stage("Generating the demo world"):
        generate_world(WorldSpec(leads=leads, seed=seed), directory)
    config = load(directory / "leadlight.yaml")
    trained = train(config, progress)
    OUT.print(door_table(trained.door))
    _print_training(trained)
    scored = score(config, progress, csv=directory / "scores.csv")
    OUT.print(hottest_table(hottest(scored.partition, 10)))
    with progress.stage("Writing the report"):
        report = write_report(config)
    say(f"{scored.leads:,} leads scored, {scored.mqls:,} are MQLs.")
    say(f"Scores: {scored.partition} and {directory / 'scores.csv'}")
    say(f"Report: {report.resolve()}")
    lead = hottest(scored.partition, 1)[0]["lead_id"]
    say(f"Next:   leadlight explain {lead} --config {directory / 'leadlight.yaml'}")


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(help="Folder with the raw tables.")] = Path(),
) -> None:
    """Look at a folder's files and write a commented leadlight.yaml that runs.

    Example: leadlight init exports/
    """
    from leadlight.pipelines.initialise import initialise  # noqa: PLC0415

    done = initialise(directory)
    for note in done.notes:
        say(note)
    say(f"Wrote {done.path}. Read it, then: leadlight check --config {done.path}")


@app.command()
def check(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Read and validate the sources, quarantine bad rows, and audit columns and events for leaks.

    Example: leadlight check
    """
    from leadlight.pipelines.check import check as check_job  # noqa: PLC0415
    from leadlight.pipelines.prepare import door_summary  # noqa: PLC0415
    from leadlight.pipelines.terminal import door_table  # noqa: PLC0415

    checked = check_job(load(config), Progress(quiet=as_json))
    report = checked.door
    if as_json:
        print_json({**door_summary(report), "leaks": list(checked.leaks.leaks)})
        return
    OUT.print(door_table(report))
    for note in (*report.notes, *checked.leaks.sentences, *checked.leaks.notes):
        say(note)
    if report.quarantine:
        say(f"Quarantine: {report.quarantine}")


@app.command()
def train(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Train on mature snapshots, evaluate on a later window, and register the champion.

    Progress is told on standard error. Exit code 3 says that there is no usable signal: nothing is
    registered, and the champion stays as it was.

    Example: leadlight train
    """
    from leadlight.pipelines.train import train as train_job  # noqa: PLC0415
    from leadlight.pipelines.training_record import no_signal_story  # noqa: PLC0415

    try:
        trained = train_job(load(config), Progress())
    except NoSignalError as error:
        if as_json:
            print_json({"version": None, **no_signal_story(error)})
        raise
    if as_json:
        print_json({"version": trained.number, **trained.story})
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
        bool,
        typer.Option("--strict", help="Refuse columns and categories unlike training."),
    ] = False,
    spark: Annotated[
        bool, typer.Option("--spark", help="Compute features and scores on Apache Spark.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(help="Only leads with news since this UTC time, or since the `last` run."),
    ] = None,
    replay: Annotated[
        bool,
        typer.Option("--replay", help="Allow a date before the last run's; later runs follow."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Score every lead that is at risk with the champion, and decide who is an MQL.

    Example: leadlight score --as-of 2026-01-01 --csv scores.csv
    """
    from leadlight.pipelines.score import score as score_job  # noqa: PLC0415
    from leadlight.pipelines.scores import hottest  # noqa: PLC0415
    from leadlight.pipelines.scoring_notes import moves_in_words  # noqa: PLC0415
    from leadlight.pipelines.terminal import hottest_table  # noqa: PLC0415

    scored = score_job(
        load(config),
        Progress(quiet=as_json),
        as_of=utc(as_of, "--as-of") if as_of else None,
        csv=csv,
        strict=strict,
        replay=replay,
        on_spark=spark,
        since="last" if since == "last" else utc(since, "--since") if since else None,
    )
    if as_json:
        print_json(scored.to_dict())
        return
    OUT.print(hottest_table(hottest(scored.partition, 10)))
    for note in scored.notes:
        say(note)
    if scored.as_of is not None:
        say(moves_in_words(scored.moves))
    say(f"{scored.leads:,} leads scored, {scored.mqls:,} are MQLs: {scored.partition}")


@app.command()
def report(
    config: ConfigOption = DEFAULT_CONFIG,
    out: Annotated[Path | None, typer.Option(help="Where to write the page.")] = None,
    definition: Annotated[
        bool, typer.Option("--definition", help="The agreement on what an MQL is, instead.")
    ] = False,
) -> None:
    """Write one self-contained page: can the score be trusted, what drives it, who is hot.

    Example: leadlight report --out report.html
    """
    from leadlight.pipelines.report.job import write_agreement, write_report  # noqa: PLC0415

    write = write_agreement if definition else write_report
    say(str(write(load(config), out).resolve()))


@app.command()
def schema() -> None:
    """Print the JSON schema of leadlight.yaml, for editors.

    Example: leadlight schema > leadlight.schema.json
    """
    from leadlight.pipelines.config import config_schema  # noqa: PLC0415

    print_json(config_schema())


def _clear_earlier_demo(directory: Path) -> None:
    # Only what this command made is replaced; a folder with anything else is refused later on.
    found = {path.name for path in directory.iterdir()} if directory.is_dir() else set()
    if {"leadlight.yaml", "truth"} <= found <= _DEMO_FILES:
        shutil.rmtree(directory)


def _print_training(trained: Any) -> None:
    from leadlight.pipelines.terminal import training_summary  # noqa: PLC0415

    OUT.print(training_summary(trained.story, trained.number))
