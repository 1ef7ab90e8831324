"""The demo world's clock: steps, seasons, drift, and the hours in which people work.

Time inside the world is whole seconds since its first midnight (UTC). The latent process moves in
steps of five days, so that a month of thirty days and a horizon of ninety are whole numbers of
steps and every snapshot of the monthly grid lies exactly between two of them.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

DAY = 86_400
STEP_DAYS = 5
STEP = STEP_DAYS * DAY
HORIZON_STEPS = 18
COOLDOWN_STEPS = 18
GRID_STEPS = 6

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Share of the day's activity by hour of the day; none after 23 h, so that no visit runs over
# midnight and with it over the end of a step.
_HOURS = np.array(
    [1, 1, 0, 0, 0, 1, 4, 14, 34, 42, 44, 38, 26, 32, 42, 40, 34, 24, 14, 10, 10, 9, 5, 0],
    dtype=np.float64,
)
_WEEKDAYS = np.array([1.0, 1.15, 1.1, 1.05, 0.8, 0.15, 0.2])


@dataclass(frozen=True)
class Clock:
    """When the world begins and how long it lasts.

    Attributes
    ----------
    start : date
        First day; the world begins at its midnight, UTC.
    years : int
        Length in years of 365 days.
    """

    start: date
    years: int

    @property
    def steps(self) -> int:
        """How many steps of five days the world lasts."""
        return 365 * self.years // STEP_DAYS

    @property
    def end(self) -> datetime:
        """The instant of the export: nothing later is in the files."""
        return self.instant(self.steps)

    @property
    def epoch_us(self) -> int:
        """The first midnight in microseconds since 1970."""
        return (self.start - date(1970, 1, 1)).days * DAY * 1_000_000

    def instant(self, step: int) -> datetime:
        """Return the midnight at which a step begins."""
        first = datetime(self.start.year, self.start.month, self.start.day, tzinfo=UTC)
        return first + timedelta(days=STEP_DAYS * step)

    def grid(self) -> tuple[int, ...]:
        """Return the steps at whose beginning the monthly snapshots lie, back from the end."""
        return tuple(range(self.steps % GRID_STEPS or GRID_STEPS, self.steps + 1, GRID_STEPS))

    def buying_climate(self, steps: int) -> Floats:
        """Return the factor that season and drift put on the hazard of a deal, by step.

        The year peaks in autumn and sags in August and at Christmas; over three years the base
        rate falls by about a third, with a step down after half of the time.
        """
        days = np.arange(steps) * STEP_DAYS + STEP_DAYS / 2
        day_of_year = (days + (self.start - date(self.start.year, 1, 1)).days) % 365
        season = 1 + 0.22 * np.cos(2 * np.pi * (day_of_year - 300) / 365)
        season *= 1 - 0.35 * np.exp(-0.5 * ((day_of_year - 222) / 14) ** 2)
        season *= 1 - 0.5 * np.exp(-0.5 * ((day_of_year - 360) / 7) ** 2)
        passed = days / (365 * self.years)
        drift = 1.2 - 0.3 * passed - 0.12 / (1 + np.exp(-(passed - 0.5) * 60))
        return np.asarray(season * drift, dtype=np.float64)

    def lead_inflow(self) -> Floats:
        """Return relative numbers of new leads by step: growth, and quiet summers and Decembers."""
        days = np.arange(self.steps) * STEP_DAYS + STEP_DAYS / 2
        day_of_year = (days + (self.start - date(self.start.year, 1, 1)).days) % 365
        season = 1 - 0.3 * np.exp(-0.5 * ((day_of_year - 222) / 18) ** 2)
        season *= 1 - 0.5 * np.exp(-0.5 * ((day_of_year - 360) / 8) ** 2)
        return np.asarray(season * (1 + 0.5 * days / (365 * self.years)), dtype=np.float64)

    def _days_of_step(self, days: int) -> NDArray[np.uint8]:
        """Look-up of 7 x 256: day within the step, by the weekday on which the step begins."""
        table = np.empty((7, 256), dtype=np.uint8)
        for weekday in range(7):
            weight = np.cumsum(_WEEKDAYS[(weekday + np.arange(days)) % 7])
            table[weekday] = np.searchsorted(weight / weight[-1], (np.arange(256) + 0.5) / 256)
        return table

    def moments(
        self, rng: np.random.Generator, steps: NDArray[np.integer], *, days: int = STEP_DAYS
    ) -> Ints:
        """Draw a working moment in the first ``days`` days of each of the given steps.

        Parameters
        ----------
        rng : numpy.random.Generator
        steps : (n,) array of int
        days : int
            Days of the step to draw from, 1 to 5.

        Returns
        -------
        (n,) array of int64
            Seconds since the world's first midnight.
        """
        bits = rng.integers(0, 1 << 32, len(steps), dtype=np.uint32)
        weekday = (steps * STEP_DAYS + self.start.weekday()) % 7
        day = self._days_of_step(days)[weekday, bits & 255]
        minute = _MINUTES[(bits >> 8) & 4095]
        second = ((bits >> 20) & 4095) * np.uint32(60) >> 12
        return np.asarray(
            steps.astype(np.int64) * STEP + day * np.int64(DAY) + minute * np.int64(60) + second
        )


def _minutes() -> NDArray[np.int32]:
    """Look-up of 4096: minute of the day."""
    weight = np.cumsum(np.repeat(_HOURS, 60))
    return np.searchsorted(weight / weight[-1], (np.arange(4096) + 0.5) / 4096).astype(np.int32)


_MINUTES = _minutes()
