"""leadlight by Airflow 3: scores every night, a challenger on the first of the month.

Copy it into the folder of DAGs. leadlight's packages do not fit into Airflow's own environment, so
the project brings one: ``/srv/leads/.venv``, beside ``leadlight.yaml``. Tokens and passwords stay
in the worker's environment, which the commands inherit.
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

PROJECT = "/srv/leads"
ATTENTION, KEPT = 1, 4


def leadlight(
    task_id: str, command: str, retries: int = 0, skip_on_exit_code: int | None = None
) -> BashOperator:
    """One command of leadlight; every exit code but 0 and the one that is skipped is a failure."""
    return BashOperator(
        task_id=task_id,
        bash_command=f".venv/bin/leadlight {command}",
        cwd=PROJECT,
        retries=retries,
        retry_delay=timedelta(minutes=20),
        skip_on_exit_code=skip_on_exit_code,
    )


ALWAYS = {
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,  # scores are of today; nights that were missed are not made up for
    "max_active_runs": 1,
    "tags": ["leadlight"],
}

with DAG("leadlight_nightly", schedule="30 4 * * *", **ALWAYS):
    (
        # A command that finds the workspace held by another is refused, and tries again.
        leadlight("score", "score", retries=2)
        # What a receiver did not take yet waits; the next try goes on from there.
        >> leadlight("deliver", "deliver", retries=2)
        # 1, attention, is shown as skipped and wakes nobody; 2, act, and 7, could not look, fail.
        >> leadlight("monitor", "monitor", skip_on_exit_code=ATTENTION)
    )

with DAG("leadlight_monthly", schedule="30 2 1 * *", **ALWAYS):
    # Promoted is a success; 4, the champion was kept, is shown as skipped; all else is a failure,
    # after which the champion is what it was. The next night's scores are the champion's.
    leadlight("retrain", "retrain --by airflow", skip_on_exit_code=KEPT)
