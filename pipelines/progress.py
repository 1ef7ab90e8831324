"""Progress of long work: a live line on a terminal, plain lines with the time elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console

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
        """Announce a stage, and its time when it is done.

        Yields
        ------
        callable
            To be told how many pieces are done: shown at once on a terminal, and as a line every
            ten seconds elsewhere.
        """
        started = time.perf_counter()
        if self.quiet or not self.console.is_terminal:
            yield self._lines(name)
        else:
            with self.console.status(f"{name} ...") as status:
                yield lambda done, of: status.update(f"{name} ... {done} of {of}")
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started
        self._line(f"{name:<34}{time.perf_counter() - started:7.1f} s")

    def _lines(self, name: str) -> Told:
        last = time.perf_counter()

        def tell(done: int, of: int) -> None:
            nonlocal last
            if time.perf_counter() - last > _EVERY:
                last = time.perf_counter()
                self._line(f"{name} ... {done} of {of}")

        return tell

    def note(self, text: str) -> None:
        """Tell something a person should know, under the current stage."""
        self._line(f"  {text}")

    def _line(self, text: str) -> None:
        if not self.quiet:
            self.console.print(text, markup=False, soft_wrap=True)
