"""The gain in AUC that a suspected leak brings, on leads that came later."""

import numpy as np
import pandas as pd
import pytest

from leadlight.features.leaks_leads import AuditedLeads
from leadlight.models.leak_gain import leak_gains


def audited(*, dated: bool, seed: int = 0) -> AuditedLeads:
    random, rows = np.random.default_rng(seed), 4000
    won = random.random(rows) < 0.2
    nothing = np.full(rows, np.nan)
    values = pd.DataFrame(
        {
            "mild": won * 0.5 + random.normal(0, 1, rows),
            "copy": np.where(won ^ (random.random(rows) < 0.05), "y", "n").astype(object),
            "noise": random.normal(0, 1, rows),
        }
    )
    return AuditedLeads(
        won=won,
        has_deal=won,
        won_at=nothing,
        order=np.arange(rows, dtype=np.float64) if dated else nothing,
        group=np.arange(rows),
        lead_id=np.arange(rows).astype(object),
        values=values,
        columns={},
        is_flat=not dated,
    )


@pytest.mark.parametrize("dated", [True, False])
def test_a_leak_gains_much_and_noise_gains_nothing(dated: bool) -> None:
    gains = leak_gains(audited(dated=dated), ["copy", "noise"])
    assert gains["copy"] > 0.2
    assert abs(gains["noise"]) < 0.02


def test_suspects_are_held_against_honest_columns_only() -> None:
    alone = leak_gains(audited(dated=True), ["copy"])["copy"]
    twice = audited(dated=True)
    twice.values["again"] = twice.values["copy"]
    both = leak_gains(twice, ["copy", "again"])
    assert both["copy"] == pytest.approx(alone)
    assert both["again"] == pytest.approx(alone)


def test_without_wins_there_is_nothing_to_say() -> None:
    leads = audited(dated=True)
    leads.won[:] = False
    assert leak_gains(leads, ["copy"]) == {}
