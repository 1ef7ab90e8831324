"""The demo world: generate it whole, and write it as files with a configuration that reads them."""

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files as package_files
from pathlib import Path
from string import Template

import numpy as np
import pyarrow as pa
from scipy.stats import entropy
from sklearn.metrics import log_loss, roc_auc_score

from leadlight.features.errors import ConfigError, WorkspaceError

from . import answers, crm, tracking
from .behaviour import behave
from .events import Events
from .files import Export, write_exports
from .journey import Deals, hazard, walk
from .names import CONTACTS_MERGED, Ids
from .outcomes import agree_terms, give_feedback, overwrite_fields
from .people import Accounts, Leads, make_accounts, make_leads
from .rhythm import HORIZON_STEPS, STEP, Clock
from .truth import Truth, join_truths, true_probabilities

# Leads are drawn in groups of this size, each from its own seed, so that the number of workers
# changes nothing. The number is part of the world: another one is another world.
_GROUP = 8192


@dataclass(frozen=True)
class WorldSpec:
    """What world to make.

    Attributes
    ----------
    leads : int
        How many leads.
    years : int
        Its length in years of 365 days, up to the day of the export.
    seed : int
        Same seed, same world, to the byte.
    start : date
        First day.
    """

    leads: int = 20_000
    years: int = 3
    seed: int = 0
    start: date = date(2023, 1, 1)

    def __post_init__(self) -> None:
        if self.leads < 1 or self.years < 1:
            message = f"A demo world needs leads and years; got {self.leads} and {self.years}."
            raise ConfigError(message, hint="Ask for at least 1 lead and 1 year.")


@dataclass(frozen=True)
class World:
    """A world in memory.

    Attributes
    ----------
    spec : WorldSpec
    clock : Clock
    accounts : Accounts
    leads : Leads
    deals : Deals
    events : Events
        Known before the end of the world, in no particular order.
    truth : Truth or None
    """

    spec: WorldSpec
    clock: Clock
    accounts: Accounts
    leads: Leads
    deals: Deals
    events: Events
    truth: Truth | None


@dataclass(frozen=True)
class WorldSummary:
    """What was generated.

    Attributes
    ----------
    directory : Path
    config : Path
        The ``leadlight.yaml`` that reads the files.
    leads, accounts, events, deals, wins : int
        Counts; events as generated, before duplicates and strangers.
    base_rate : float
        Share of mature at-risk snapshots with a win within the horizon.
    best_log_loss, base_log_loss : float
        On these snapshots: of the true probabilities given what can be seen, and of the base rate.
    best_auc : float
        Area under the ROC curve of the true probabilities given what can be seen.
    """

    directory: Path
    config: Path
    leads: int
    accounts: int
    events: int
    deals: int
    wins: int
    base_rate: float
    best_log_loss: float
    base_log_loss: float
    best_auc: float


def make_world(spec: WorldSpec, *, with_truth: bool = True, workers: int | None = None) -> World:
    """Generate a world in memory.

    Parameters
    ----------
    spec : WorldSpec
    with_truth : bool
        Whether to work out the true probabilities, which takes about as long as all the rest.
    workers : int, optional
        Threads to use (default: one for each processor). The world does not depend on it.
    """
    clock = Clock(spec.start, spec.years)
    rng = np.random.default_rng([spec.seed, 0])
    accounts = make_accounts(rng, spec.leads)
    leads = make_leads(rng, clock, accounts, spec.leads)
    hazards = hazard(clock.buying_climate(clock.steps + HORIZON_STEPS))
    starts = list(range(0, spec.leads, _GROUP))

    def live(start: int) -> tuple[Deals, Events, Truth | None]:
        group = leads.between(start, start + _GROUP)
        dice = np.random.default_rng([spec.seed, 1, start])
        journeys = walk(dice, clock, group, hazards)
        events, evidence = behave(dice, clock, group, journeys)
        truth = (
            true_probabilities(clock, group, journeys, evidence, hazards) if with_truth else None
        )
        return journeys.deals, events.only(events.known < clock.steps * STEP), truth

    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        groups = list(pool.map(live, starts))
    truths = [truth for _, _, truth in groups if truth is not None]
    return World(
        spec=spec,
        clock=clock,
        accounts=accounts,
        leads=leads,
        deals=Deals.together([deals for deals, _, _ in groups], starts),
        events=Events.together([events for _, events, _ in groups], starts),
        truth=join_truths(truths, starts) if truths else None,
    )


def exports(world: World) -> tuple[Export, ...]:
    """Return what renders each of the world's raw tables, the way that vendors would export them.

    Each export rolls its own dice, so the order and the thread in which they run change nothing.
    """
    clock, accounts, leads = world.clock, world.accounts, world.leads
    events, deals, truth = world.events, world.deals, world.truth

    def dice(purpose: int) -> np.random.Generator:
        return np.random.default_rng([world.spec.seed, 2, purpose])

    ids = Ids(dice(0), clock, accounts, leads, CONTACTS_MERGED)

    def sales() -> Mapping[str, pa.Table]:
        feedback = give_feedback(dice(1), clock, accounts, leads, events)
        fields = overwrite_fields(dice(2), clock, leads, deals, feedback)
        terms = agree_terms(dice(3), accounts, leads, deals)
        return {
            "contacts.csv": crm.contacts(dice(4), clock, accounts, leads, ids, fields),
            "deals.csv": crm.deals_table(clock, leads, ids, deals, terms),
            "feedback.csv": crm.feedback_table(clock, ids, feedback),
        }

    def web() -> Mapping[str, pa.Table]:
        return tracking.page_views(dice(5), clock, leads, events, ids)

    def rest() -> Mapping[str, pa.Table]:
        return {
            "companies.parquet": crm.companies(accounts, ids),
            "activities.parquet": tracking.activities(clock, events, ids),
            "identities.csv": crm.identities(clock, leads, events, ids),
        }

    def mail() -> Mapping[str, pa.Table]:
        return {"email.csv.gz": tracking.mails(dice(6), clock, events, ids)}

    def known() -> Mapping[str, pa.Table]:
        return answers.truth_tables(clock, leads, ids, truth) if truth else {}

    # The longest first, so that the workers end together.
    return mail, web, sales, known, rest


def _config_text(spec: WorldSpec, clock: Clock) -> str:
    """Fill in the configuration: capacity grows with the world."""
    template = package_files(__package__).joinpath("leadlight.yaml").read_text("utf-8")
    return Template(template).substitute(
        observed_from=f"{spec.start:%Y-%m-%d}",
        # The clock ends at midnight: the day before it is the last one observed.
        observed_until=f"{clock.end - timedelta(days=1):%Y-%m-%d}",
        leads_per_week=max(5, round(spec.leads / 600)),
    )


def generate_world(spec: WorldSpec, directory: Path, *, workers: int | None = None) -> WorldSummary:
    """Generate a demo world and write its raw files, ``leadlight.yaml`` and ``truth/``.

    The folder appears whole or not at all: it is built beside its place and renamed.

    Parameters
    ----------
    spec : WorldSpec
    directory : Path
        Must not exist yet, or be empty.
    workers : int, optional
        Threads to use (default: one for each processor). The bytes do not depend on it.

    Raises
    ------
    WorkspaceError
        The directory already holds something, or cannot be written.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        message = f"{directory}: there is something already; the demo world was not written."
        raise WorkspaceError(message, hint="Name another folder, or remove this one first.")
    world = make_world(spec, workers=workers)
    try:
        _publish(
            directory,
            lambda place: write_exports(exports(world), place, workers),
            _config_text(spec, world.clock),
        )
    except OSError as error:
        message = f"{directory}: the demo world cannot be written: {error.strerror or error}."
        raise WorkspaceError(message, hint="Free some space, or name another folder.") from error
    return _summary(world, directory)


def _publish(directory: Path, write: Callable[[Path], None], config: str) -> None:
    directory.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        building.chmod(0o755)
        write(building)
        (building / "leadlight.yaml").write_text(config, encoding="utf-8")
        # Renaming over an existing folder works only while that one is empty.
        building.replace(directory)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def _summary(world: World, directory: Path) -> WorldSummary:
    truth = world.truth
    if truth is None:
        message = "a summary needs the truth"
        raise ValueError(message)
    mature = truth.converted >= 0
    label, chance = truth.converted[mature], truth.probability[mature]
    base = float(label.mean()) if len(label) else float("nan")
    both = 0 < base < 1
    return WorldSummary(
        directory=directory,
        config=directory / "leadlight.yaml",
        leads=len(world.leads),
        accounts=len(world.accounts.name),
        events=len(world.events),
        deals=len(world.deals.lead),
        wins=int(world.deals.won.sum()),
        base_rate=base,
        best_log_loss=float(log_loss(label, chance)) if both else float("nan"),
        base_log_loss=float(entropy([base, 1 - base])),
        best_auc=float(roc_auc_score(label, chance)) if both else float("nan"),
    )
