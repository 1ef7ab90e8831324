"""What Airflow itself makes of a DAG file, as JSON; run by the Python of Airflow's environment.

Arguments: the file, a project folder whose ``.venv/bin/leadlight`` ends with the code in ``code``,
and where to write the answer.
"""

import json
import sys
from pathlib import Path
from typing import Any

from airflow.dag_processing.dagbag import DagBag
from airflow.exceptions import AirflowException, AirflowSkipException

CODES = range(9)


def end_of(task: Any, project: Path, code: int) -> str:
    """The state in which a task ends whose command ends with a code."""
    (project / "code").write_text(str(code))
    task.cwd = str(project)
    try:
        task.execute({})
    except AirflowSkipException:
        return "skipped"
    except AirflowException:
        return "failed"
    return "success"


def main() -> None:
    file, project, answer = (Path(text) for text in sys.argv[1:])
    bag = DagBag(dag_folder=file, bundle_name="examples")
    dags = {
        dag.dag_id: {
            "schedule": dag.schedule,
            "timezone": str(dag.timezone),
            "catchup": dag.catchup,
            "max_active_runs": dag.max_active_runs,
            "tasks": {
                task.task_id: {
                    "command": task.bash_command,
                    "environment": task.env,
                    "retries": task.retries,
                    "after": sorted(task.upstream_task_ids),
                    "ends": {code: end_of(task, project, code) for code in CODES},
                }
                for task in dag.topological_sort()
            },
        }
        for dag in bag.dags.values()
    }
    told = {"errors": bag.import_errors, "warnings": bag.captured_warnings, "dags": dags}
    answer.write_text(json.dumps(told, default=str))


if __name__ == "__main__":
    main()
