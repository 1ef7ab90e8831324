"""leadlight's run, in a process of its own: ``python features_leadlight.py TASK``."""

import sys

from features_task import FeatureTask, telling

from leadlight.features.catalog import feature_catalog
from leadlight.features.definition import FeatureDefinition
from leadlight.features.engines import DuckDBEngine
from leadlight.features.engines.feature_table import compute_features
from leadlight.features.tables import CanonicalTables


def main() -> None:
    task = FeatureTask.load(sys.argv[1])
    definition = FeatureDefinition.from_dict(task.definition)
    tables = CanonicalTables(task.folder, task.columns)
    with (
        telling(features=len(feature_catalog(definition))),
        DuckDBEngine(memory_limit=task.memory_limit, temp_directory=task.output.parent) as engine,
    ):
        compute_features(engine, tables, task.snapshots, definition, task.output, store=task.store)


if __name__ == "__main__":
    main()
