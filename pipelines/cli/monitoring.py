"""The command that a scheduler runs after scoring, to hear whether all is well."""

from pathlib import Path
from typing import Annotated

import typer

from leadlight.features.errors import LeadlightError
from leadlight.pipelines.progress import Progress

from .console import DEFAULT_CONFIG, OUT, ConfigOption, JsonOption, app, load, print_json, say

COULD_NOT_LOOK = 7


@app.command(
    epilog="Exit codes of this command: 0 fine; 1 attention; 2 act (or the command was not "
    "understood); 7 it could not look, and the message says why."
)
def monitor(
    config: ConfigOption = DEFAULT_CONFIG,
    html: Annotated[
        Path | None,
        typer.Option(help="Where to write the page; default: reports/monitor.html."),
    ] = None,
    prometheus: Annotated[
        Path | None, typer.Option(help="Write metrics as a Prometheus textfile: leadlight.prom.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Raise alarms: drift, late or silent sources, broken promises, and what to do.

    Example: leadlight score && leadlight monitor --prometheus leadlight.prom
    """
    try:
        from leadlight.pipelines.monitor import monitor as watch  # noqa: PLC0415
        from leadlight.pipelines.monitor import write_metrics, write_page  # noqa: PLC0415

        project = load(config)
        told = watch(project, Progress(quiet=as_json))
        page = write_page(project, told, html)
        if prometheus is not None:
            write_metrics(told, prometheus)
    except LeadlightError as error:
        # 1 and 2 are answers here; not to have looked must not pass for one.
        error.exit_code = COULD_NOT_LOOK
        raise
    if as_json:
        print_json(told.to_dict())
    else:
        from leadlight.pipelines.terminal_monitor import monitor_table  # noqa: PLC0415

        OUT.print(monitor_table(told))
        say(f"Page: {page}")
    raise typer.Exit(told.exit_code)
