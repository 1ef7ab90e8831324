"""Commands that pass scores on to others."""

from typing import Annotated

import typer

from leadlight.pipelines.progress import Progress

from .console import DEFAULT_CONFIG, OUT, ConfigOption, JsonOption, app, load, print_json, say

_INCOMPLETE = 5


@app.command()
def deliver(
    config: ConfigOption = DEFAULT_CONFIG,
    sink: Annotated[
        list[str] | None, typer.Option(help="Only this sink; may be given several times.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be sent, and send nothing.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many changes for each sink.")
    ] = None,
    only_state_changes: Annotated[
        bool, typer.Option("--only-state-changes", help="Only leads whose MQL state changed.")
    ] = False,
    retry_refused: Annotated[
        bool, typer.Option("--retry-refused", help="Send what was refused once more.")
    ] = False,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Send even if many leads would change their state.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Tell CRMs, databases and files which leads changed since they were last told.

    Exit code 5 says that a sink was not told everything (what is left waits for the next run), 6
    that so many leads would change their state that it has to be confirmed.

    Example: leadlight deliver --dry-run
    """
    from leadlight.pipelines.deliver import deliver as deliver_job  # noqa: PLC0415
    from leadlight.pipelines.delivery.results import Wanted  # noqa: PLC0415
    from leadlight.pipelines.terminal_delivery import (  # noqa: PLC0415
        dead_letters,
        difference_table,
    )

    done = deliver_job(
        load(config),
        Progress(quiet=as_json),
        sinks=sink or (),
        dry_run=dry_run,
        wanted=Wanted(limit, only_state_changes, retry_refused, confirm),
    )
    if as_json:
        print_json(done.to_dict())
    else:
        for report in done.sinks:
            if dry_run:
                OUT.print(difference_table(report))
            else:
                say(
                    f"{report.sink}: {report.delivered:,} changes delivered, "
                    f"{report.waiting:,} wait."
                )
            if report.refused:
                OUT.print(dead_letters(report))
            if report.problem:
                say(f"{report.sink} was left: {report.problem}")
        for note in done.notes:
            say(f"Of these scores: {note}")
        if done.opted_out or done.erased:
            say(f"Not passed on: {done.opted_out:,} leads opted out, {done.erased:,} were erased.")
    if not done.is_complete:
        raise typer.Exit(_INCOMPLETE)
