"""A small project with a signal: raw CSV files and a configuration, quick to train on."""

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

START = datetime(2024, 1, 1)  # noqa: DTZ001 - written without a zone, as exports are
DAYS = 540

CONFIG = """\
project: small
sources:
  leads: {path: leads.csv}
  accounts: {path: accounts.csv}
  events: {path: events.csv}
  outcomes: {path: deals.csv, won: "stage = 'won'"}
label: {horizon_days: 60}
snapshots: {every_days: 30}
features: {lookback_days: [7, 30]}
mql: {policy: top_share, share: 0.2}
checks: {outcome_before_creation: 0.5}
"""


@dataclass(frozen=True)
class SmallProject:
    """Where the project's files lie, and ways to spoil them."""

    directory: Path

    @property
    def config(self) -> Path:
        return self.directory / "leadlight.yaml"

    def configure(self, old: str, new: str) -> None:
        text = self.config.read_text(encoding="utf-8")
        assert old in text
        self.config.write_text(text.replace(old, new), encoding="utf-8")

    def read(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.directory / name, dtype=str, keep_default_na=False)

    def write(self, name: str, table: pd.DataFrame) -> None:
        table.to_csv(self.directory / name, index=False)

    def copied(self, directory: Path) -> "SmallProject":
        """Return the project in a place of its own; artefacts of its models stay where they are."""
        shutil.copytree(self.directory, directory)
        return SmallProject(directory)

    def published(self) -> list[str]:
        """Every file of the workspace that tells of a result; kept events and the lock do not."""
        workspace = self.directory / "workspace"
        return sorted(
            str(path.relative_to(workspace))
            for path in workspace.rglob("*")
            if path.is_file()
            and path.relative_to(workspace).parts[0] not in {"quarantine", "events", "run.lock"}
        )


def make_small_project(directory: Path, *, leads: int = 900, seed: int = 0) -> SmallProject:
    """Write leads whose pricing visits, in an industry that fits, lead to wins."""
    random = np.random.default_rng(seed)
    accounts = leads // 3
    industry = random.choice(["Software", "Finance", "Retail"], accounts)
    account = random.integers(0, accounts, leads)
    created = random.uniform(0, DAYS - 60, leads)
    interest = random.gamma(1.0, 1.0, leads)
    fits = (industry[account] == "Software").astype(float)

    events = random.poisson(3 + 9 * interest)
    who = np.repeat(np.arange(leads), events)
    when = created[who] + random.exponential(90, len(who))
    page = random.choice(["/blog/a", "/product", "/pricing"], len(who), p=[0.5, 0.3, 0.2])
    event_type = random.choice(["page_view", "email_click"], len(who), p=[0.7, 0.3])
    seen = when < DAYS

    chance = 1 / (1 + np.exp(4.0 - 1.6 * interest - 1.5 * fits))
    deal = np.flatnonzero(random.random(leads) < 0.1 + 0.9 * chance)
    won = random.random(len(deal)) < chance[deal] / (0.1 + 0.9 * chance[deal])
    closed = created[deal] + random.uniform(20, 300, len(deal))
    known = closed < DAYS

    directory.mkdir(parents=True, exist_ok=True)
    project = SmallProject(directory)
    project.write(
        "leads.csv",
        pd.DataFrame(
            {
                "lead_id": [f"L{i:05d}" for i in range(leads)],
                "created_at": [_time(day) for day in created],
                "account_id": [f"A{i:04d}" for i in account],
                "job_title": random.choice(["Director", "Analyst", "Student"], leads),
                "source": random.choice(["ads", "organic", "referral"], leads),
            }
        ),
    )
    project.write(
        "accounts.csv",
        pd.DataFrame(
            {
                "account_id": [f"A{i:04d}" for i in range(accounts)],
                "industry": industry,
                "employees": random.integers(5, 5000, accounts),
                "seats": random.integers(1, 90, accounts),
            }
        ),
    )
    project.write(
        "events.csv",
        pd.DataFrame(
            {
                "lead_id": [f"L{i:05d}" for i in who[seen]],
                "occurred_at": [_time(day) for day in when[seen]],
                "event_type": event_type[seen],
                "detail": np.where(event_type[seen] == "page_view", page[seen], ""),
            }
        ),
    )
    project.write(
        "deals.csv",
        pd.DataFrame(
            {
                "deal_id": [f"D{i}" for i in range(int(known.sum()))],
                "lead_id": [f"L{i:05d}" for i in deal[known]],
                "opened_at": [_time(day - 10) for day in closed[known]],
                "closed_at": [_time(day) for day in closed[known]],
                "stage": np.where(won[known], "won", "lost"),
            }
        ),
    )
    project.config.write_text(CONFIG, encoding="utf-8")
    return project


def _time(day: float) -> str:
    return (START + timedelta(days=float(day))).isoformat(timespec="seconds")
