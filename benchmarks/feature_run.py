"""One run of leadlight's features in a process of its own: FOLDER OUTPUT SETTINGS (JSON)."""

import json
import resource
import sys
import time
from pathlib import Path

from leadlight.features.catalog import feature_catalog
from leadlight.features.definition import FeatureDefinition
from leadlight.features.engines import DuckDBEngine
from leadlight.features.engines.feature_table import compute_features
from leadlight.features.tables import CanonicalTables


def definition_of(settings: dict[str, object]) -> FeatureDefinition:
    return FeatureDefinition.from_dict({**FeatureDefinition().to_dict(), **settings})


def cpu_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def main() -> None:
    folder, output, settings = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
    definition = definition_of(settings["definition"])
    columns = {name: tuple(each) for name, each in settings["columns"].items()}
    store = Path(settings["store"]) if settings.get("store") else None
    started, cpu = time.perf_counter(), cpu_seconds()
    with DuckDBEngine(memory_limit=settings.get("memory", "1GB"), threads=2) as engine:
        rows = compute_features(
            engine,
            CanonicalTables(folder, columns),
            folder / "snapshots.parquet",
            definition,
            output,
            store=store,
        )
    told = {
        "seconds": time.perf_counter() - started,
        "cpu": cpu_seconds() - cpu,
        "rows": rows,
        "features": len(feature_catalog(definition)),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
