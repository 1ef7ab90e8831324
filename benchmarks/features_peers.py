"""A peer's run, in a process of its own: ``python features_peers.py PEER TASK``."""

import importlib
import sys

from features_task import FeatureTask, telling


def main() -> None:
    task = FeatureTask.load(sys.argv[2])
    peer = importlib.import_module(f"features_peer_{sys.argv[1]}")
    with telling() as facts:
        facts.update(peer.compute(task) or {})


if __name__ == "__main__":
    main()
