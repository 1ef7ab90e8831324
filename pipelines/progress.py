"""Progress of long work: a live bar on a terminal, plain lines with the time elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.progress import Progress as LiveBar
from rich.text import Text

Told = Callable[[int, int], None]
"""Tells how many pieces of a stage are done, and of how many."""

_EVERY = 10.0


@dataclass
class Progress:
    """Tells a person (or a log) which stage runs and how long each took.

    Attributes
    ----------
    console : Console
        Where to tell; standard error, so that results alone are on standard output.
    quiet : bool
        Tell nothing (for ``--json`` and tests); stages are still timed.
    seconds : dict of str to float
        Wall time of each finished stage.
    """

    console: Console = field(default_factory=lambda: Console(stderr=True, highlight=False))
    quiet: bool = False
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[Told]:
        """Announce a stage, and its time when it is done; a stage that fails has no such line.

        Yields
        ------
        callable
            To be told how many pieces are done: a bar with the time left on a terminal, and a line
            every ten seconds elsewhere. Notes may be told in between.
        """
        started = time.perf_counter()
        if self.quiet or not self.console.is_terminal:
            yield self._lines(name)
        else:
            # Leaving it, by whatever way, gives the terminal back its cursor.
            with _live_bar(self.console) as bar:
                yield _bar(bar, bar.add_task(name, total=None, pieces=""))
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started
        self._line(f"{name:<34}{time.perf_counter() - started:7.1f} s")

    def _lines(self, name: str) -> Told:
        started = last = time.perf_counter()

        def tell(done: int, of: int) -> None:
            nonlocal last
            now = time.perf_counter()
            if now - last > _EVERY:
                last = now
                self._line(f"{name} ... {done} of {of}{time_left(done, of, now - started)}")

        return tell

    def note(self, text: str) -> None:
        """Tell something a person should know, under the current stage."""
        self._line(f"  {text}")

    def _line(self, text: str) -> None:
        if not self.quiet:
            self.console.print(text, markup=False, soft_wrap=True)


def time_left(done: int, of: int, seconds: float) -> str:
    """Return ``, about 2 min left``, or nothing while it cannot be known.

    Parameters
    ----------
    done, of : int
        Pieces, taken to be alike.
    seconds : float
        Spent so far.

    Examples
    --------
    >>> time_left(1, 4, 10.0), time_left(30, 40, 600.0), time_left(0, 4, 10.0)
    (', about 30 s left', ', about 3 min left', '')
    """
    if not 0 < done < of:
        return ""
    left = seconds * (of - done) / done
    return (
        f", about {max(left, 1):.0f} s left" if left < 100 else f", about {left / 60:.0f} min left"
    )


class _TimeLeft(ProgressColumn):
    def render(self, task: Task) -> Text:
        done, of = int(task.completed), int(task.total or 0)
        return Text(time_left(done, of, task.elapsed or 0.0).removeprefix(", "), "dim")


def _live_bar(console: Console) -> LiveBar:
    return LiveBar(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[pieces]}", markup=False),
        _TimeLeft(),
        console=console,
        transient=True,
        redirect_stdout=False,
    )


def _bar(bar: LiveBar, task: TaskID) -> Told:
    def tell(done: int, of: int) -> None:
        bar.update(task, completed=done, total=of, pieces=f"{done} of {of}")

    return tell
