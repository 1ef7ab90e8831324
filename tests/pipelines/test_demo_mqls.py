"""On the demo world, neither clicks without fit nor fit without interest make an MQL."""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from leadlight.pipelines.config import load_config
from leadlight.pipelines.demo.world import WorldSpec, generate_world
from leadlight.pipelines.progress import Progress
from leadlight.pipelines.score import score
from leadlight.pipelines.scores import read_scores
from leadlight.pipelines.status import read_status
from leadlight.pipelines.train import train

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:UserWarning")

QUIET = Progress(quiet=True)


@dataclass(frozen=True)
class Night:
    """The first scored night: each lead's state, with what the world's maker knows of it.

    Attributes
    ----------
    leads : DataFrame
        state, mql (whether its score meets the definition), style and fit, downloads in all, and
        ``silent_days`` since the last act.
    """

    leads: pd.DataFrame


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    folder = tmp_path_factory.mktemp("mqls") / "demo"
    config = load_config(generate_world(WorldSpec(leads=2_500, years=2, seed=3), folder).config)
    train(config, QUIET)
    scored = score(config, QUIET)
    assert scored.as_of is not None
    status = read_status(config, scored.as_of).to_pandas().set_index("lead_id")
    scores = read_scores(scored.partition, ["lead_id", "mql"]).to_pandas().set_index("lead_id")
    truth = pd.read_parquet(folder / "truth" / "leads.parquet").set_index("lead_id")
    leads = scores.join(status["state"]).join(truth, how="inner").join(_deeds(folder))
    end = scored.as_of.replace(tzinfo=None)
    silent = (end - leads["last_deed"]).dt.days.fillna(10_000)
    return Night(leads.assign(silent_days=silent, downloads=leads["downloads"].fillna(0)))


def _deeds(folder: Path) -> pd.DataFrame:
    """Return each lead's downloads and its last act of its own, on any channel."""
    return (
        duckdb.sql(
            f"""
            SELECT lead_id, count_if(kind = 'download') downloads, max(moment) last_deed FROM (
                SELECT contact_id::VARCHAR lead_id, activity kind, occurred_at::TIMESTAMP moment
                FROM '{folder / "activities.parquet"}'
                UNION ALL SELECT contact_id::VARCHAR, type, created::TIMESTAMP
                FROM '{folder / "email.csv.gz"}' WHERE type != 'email_send'
                UNION ALL SELECT coalesce(contact_id::VARCHAR, visitor), 'page_view', ts::TIMESTAMP
                FROM '{folder / "page_views/*.parquet"}'
                LEFT JOIN '{folder / "identities.csv"}' ON alias = visitor
            ) GROUP BY 1
            """
        )
        .df()
        .set_index("lead_id")
    )


def test_a_student_who_downloads_everything_is_no_mql(night: Night) -> None:
    leads = night.leads
    much = leads.loc[leads["style"] != "student", "downloads"].quantile(0.9)
    keen = leads[(leads["style"] == "student") & (leads["downloads"] >= max(much, 1))]
    assert len(keen) >= 30
    assert not keen["mql"].any()
    assert not keen["state"].eq("mql").any()


def test_a_lead_that_fits_perfectly_and_is_silent_is_no_mql(night: Night) -> None:
    leads = night.leads
    fits = leads["fit"] >= leads["fit"].quantile(0.95)
    silent = leads[fits & (leads["silent_days"] > 90)]
    assert len(silent) >= 30
    # Some have a score for it, by what they did long ago.
    assert not silent["state"].eq("mql").any()


def test_leads_that_fit_and_act_become_mqls(night: Night) -> None:
    leads = night.leads
    fits = leads["fit"] >= leads["fit"].median()
    keen = fits & (leads["silent_days"] <= 30) & (leads["style"] != "student")
    assert leads.loc[keen, "state"].eq("mql").mean() > 2 * leads["state"].eq("mql").mean() > 0
