"""One peer on all nights, in a process and an environment of its own.

``python monitor_peer.py PEER CASES OUTPUT`` writes the columns that it takes for drifted, by case,
and prints its seconds as a line of JSON.
"""

import importlib
import json
import sys
import time
from pathlib import Path

import pandas as pd


def main() -> None:
    peer, cases, output = sys.argv[1:]
    drifted = importlib.import_module(f"monitor_peer_{peer}").drifted
    began, told = time.perf_counter(), {}
    for case in json.loads(Path(cases).read_text()):
        named: list[str] = []
        for what in ("night", "labels"):
            reference, current = (
                pd.read_parquet(Path(case) / f"{part}_{what}.parquet")
                for part in ("reference", "current")
            )
            named += drifted(reference, current)
        told[case] = named
    Path(output).write_text(json.dumps(told))
    print(json.dumps({"seconds": time.perf_counter() - began, "cpu": time.process_time()}))


if __name__ == "__main__":
    main()
