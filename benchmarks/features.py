"""Features at scale: leadlight beside other tools on growing worlds, all in one run."""

import argparse
import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from environments import python_of
from features_comparison import NAMES, compare, compare_slices
from features_growth import growths
from features_nightly import nightly
from features_tables import marks, nightly_figures, print_comparison, print_growth
from results import OUT, write_results
from rich.console import Console

MILLION = 1_000_000
LIMIT_MEGABYTES = 1e9 / 2**20  # the engine's limit in every run, as FeatureTask has it


def main() -> None:
    options = _options()
    console = Console(width=None if Console().is_terminal else 170)
    with tempfile.TemporaryDirectory(prefix="bench-features-") as folder:
        place = Path(folder)
        pythons = _installed(options.peers, place, console)
        comparisons = []
        for millions in options.millions:
            comparison = compare(round(millions * MILLION), pythons, place)
            if not comparisons:
                comparison = replace(comparison, slices=compare_slices(pythons, place))
            stopped = {each.name for each in comparison.measures if each.stopped}
            pythons = {peer: pythons[peer] for peer in pythons if NAMES[peer] not in stopped}
            print_comparison(comparison, console)
            comparisons.append(comparison)
        grown = []
        if options.growth:
            for growth in growths(MILLION // 10 if options.quick else MILLION, place):
                print_growth(growth, console)
                grown.append(growth)
        nights = []
        if options.night:
            nights.append(nightly(MILLION // 10 if options.quick else 10 * MILLION, place))
    found = marks(comparisons, grown, LIMIT_MEGABYTES)
    for night in nights:
        found += nightly_figures(night)
    write_results("features", found, seed=0, quick=options.quick, console=console)
    whole = {"comparisons": comparisons, "growth": grown, "nightly": nights}
    runs = {name: [asdict(each) for each in found] for name, found in whole.items()}
    (OUT / "features-runs.json").write_text(json.dumps(runs, indent=2) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="0.2 million events, growth at 0.1")
    parser.add_argument(
        "--millions", type=float, nargs="*", help="of events; 1 10 50 if not told otherwise"
    )
    parser.add_argument("--peers", nargs="*", default=list(NAMES), choices=list(NAMES))
    parser.add_argument("--no-growth", dest="growth", action="store_false")
    parser.add_argument("--no-night", dest="night", action="store_false")
    options = parser.parse_args()
    if options.millions is None:
        options.millions = [0.2] if options.quick else [1, 10, 50]
    return options


def _installed(peers: Sequence[str], folder: Path, console: Console) -> dict[str, str]:
    found = {}
    for peer in peers:
        try:
            found[peer] = python_of(peer, folder)
        except subprocess.CalledProcessError as error:
            reason = error.stderr.decode().strip()
            console.print(f"{NAMES[peer]} takes no part, for it cannot be installed: {reason}")
    return found


if __name__ == "__main__":
    main()
