"""The command that answers while somebody waits."""

from typing import Annotated

import typer

from .console import DEFAULT_CONFIG, ConfigOption, app, load, say


@app.command()
def serve(
    config: ConfigOption = DEFAULT_CONFIG,
    host: Annotated[
        str, typer.Option(help="Address to listen at; beyond loopback LEADLIGHT_TOKEN must be set.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
) -> None:
    """Score single leads over HTTP: POST /score, by the champion and the nightly job's kernel.

    Example: leadlight serve --port 8000
    """
    from leadlight.pipelines.serve import serve as serve_leads  # noqa: PLC0415

    say(f"Listening at http://{host}:{port}/score; Ctrl-C ends it.")
    serve_leads(load(config), host=host, port=port)
