"""Progress: what a person sees on a terminal, what a log holds, and what an interrupt leaves."""

import io
import re

import pytest
from rich.console import Console

from leadlight.pipelines import progress as progress_module
from leadlight.pipelines.progress import Progress, time_left

SHOW_CURSOR = "\x1b[?25h"


def _on(*, terminal: bool) -> tuple[Progress, io.StringIO]:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=100, highlight=False)
    return Progress(console=console), file


def _seen(file: io.StringIO) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", file.getvalue())


def test_a_terminal_shows_the_stage_its_pieces_a_bar_and_the_notes_between() -> None:
    progress, file = _on(terminal=True)
    with progress.stage("Training and evaluating") as tell:
        tell(1, 4)
        progress.note("fitting logistic")
        tell(2, 4)
    seen = _seen(file)
    assert "Training and evaluating ━" in seen
    assert "2 of 4" in seen
    assert "  fitting logistic\n" in seen
    assert re.search(r"Training and evaluating +\d+\.\d s\n$", seen)


def test_a_log_holds_plain_lines_only() -> None:
    progress, file = _on(terminal=False)
    with progress.stage("Training and evaluating") as tell:
        tell(1, 4)
        progress.note("fitting [red]logistic")
    lines = file.getvalue().splitlines()
    assert "\x1b" not in file.getvalue()
    assert lines[0] == "  fitting [red]logistic"
    assert re.fullmatch(r"Training and evaluating +\d+\.\d s", lines[1])
    assert len(lines) == 2


def test_a_log_hears_of_a_long_stage_with_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(progress_module.time, "perf_counter", lambda: now[0])
    progress, file = _on(terminal=False)
    with progress.stage("Training") as tell:
        for done in range(1, 5):
            now[0] += 6.0
            tell(done, 4)
    assert file.getvalue().splitlines()[:2] == [
        "Training ... 2 of 4, about 12 s left",
        "Training ... 4 of 4",
    ]


def _interrupted(progress: Progress) -> None:
    with progress.stage("Training") as tell:
        tell(1, 4)
        raise KeyboardInterrupt


@pytest.mark.parametrize("terminal", [True, False])
def test_an_interrupted_stage_gives_the_terminal_back_and_is_not_called_done(
    terminal: bool,
) -> None:
    progress, file = _on(terminal=terminal)
    with pytest.raises(KeyboardInterrupt):
        _interrupted(progress)
    assert not re.search(r"Training +\d+\.\d s", _seen(file))
    assert "Training" not in progress.seconds
    if terminal:
        assert file.getvalue().rfind(SHOW_CURSOR) > file.getvalue().rfind("\x1b[?25l")


def test_quiet_tells_nothing_and_still_times() -> None:
    file = io.StringIO()
    progress = Progress(console=Console(file=file, force_terminal=True), quiet=True)
    with progress.stage("Training") as tell:
        tell(1, 2)
        progress.note("fitting")
    assert file.getvalue() == ""
    assert "Training" in progress.seconds


@pytest.mark.parametrize(
    ("done", "of", "seconds", "said"),
    [
        (1, 2, 30.0, ", about 30 s left"),
        (9, 10, 0.1, ", about 1 s left"),
        (1, 11, 60.0, ", about 10 min left"),
        (0, 10, 60.0, ""),
        (10, 10, 60.0, ""),
    ],
)
def test_the_time_left_follows_from_the_pieces_done(
    done: int, of: int, seconds: float, said: str
) -> None:
    assert time_left(done, of, seconds) == said
