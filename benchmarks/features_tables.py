"""The printed tables of bench-features, and its marks."""

from collections.abc import Sequence

from features_agreement import EQUAL
from features_comparison import LEADLIGHT, POLARS, Comparison
from features_growth import Growth
from features_measures import Measure
from features_nightly import Nightly
from results import Result, against, at_least, at_most
from rich.console import Console
from rich.table import Table


def print_comparison(comparison: Comparison, console: Console) -> None:
    table = Table(
        title=f"bench-features: {comparison.events:,} events; bare DuckDB scan of their Parquet: "
        f"{comparison.scan:.3g} s",
        title_justify="left",
    )
    table.add_column("who")
    for column in ("features", "wall s", "CPU s", "peak MB", "events/s", "scans"):
        table.add_column(column, justify="right")
    table.add_column("wall, CPU, memory of leadlight", justify="right")
    table.add_column("runs", justify="right")
    table.add_column("its features are leadlight's")
    ours = comparison.measures[0]
    for each in comparison.measures:
        table.add_row(*_contestant(each, ours, comparison.scan))
    for each in comparison.slices:
        table.add_row(*_extrapolated(each, ours))
    console.print(table)


def _contestant(each: Measure, ours: Measure, scan: float) -> tuple[str, ...]:
    name = f"{each.name} {each.note}".strip()
    if each.stopped:
        why = f"stopped after {each.seconds:.0f} s: {each.stopped}"
        return (name, "", "", "", _number(each.megabytes), "", "", "", str(each.runs), why)
    times = (each.seconds / ours.seconds, each.cpu / ours.cpu, each.megabytes / ours.megabytes)
    return (
        name,
        str(each.features),
        _number(each.seconds),
        _number(each.cpu),
        _number(each.megabytes),
        _number(each.rate),
        _number(each.seconds / scan),
        ", ".join(_number(ratio) for ratio in times),
        str(each.runs),
        each.agreement,
    )


def _extrapolated(each: Measure, ours: Measure) -> tuple[str, ...]:
    """Figures of a slice as they were measured; the ratios are those of an event's time."""
    slower = (each.seconds / each.events) / (ours.seconds / ours.events)
    harder = (each.cpu / each.events) / (ours.cpu / ours.events)
    return (
        f"{each.name} {each.note}, extrapolated from {each.events:,} events",
        str(each.features),
        _number(each.seconds),
        _number(each.cpu),
        _number(each.megabytes),
        _number(each.rate),
        "",
        f"{_number(slower)}, {_number(harder)}, -",
        str(each.runs),
        each.agreement,
    )


def print_growth(growth: Growth, console: Console) -> None:
    events = growth.measures[0].events
    table = Table(
        title=f"bench-features: growth, {growth.what}; {events:,} events", title_justify="left"
    )
    table.add_column(growth.what)
    for column in ("features", "wall s", "CPU s", "peak MB", "events/s", "CPU of the first"):
        table.add_column(column, justify="right")
    first = growth.measures[0]
    for each in growth.measures:
        table.add_row(
            each.name,
            str(each.features),
            _number(each.seconds),
            _number(each.cpu),
            _number(each.megabytes),
            _number(each.rate),
            _number(each.cpu / first.cpu),
        )
    console.print(table)


def nightly_figures(nightly: Nightly) -> list[Result]:
    """Return what a night saves that finds the store of the night before."""
    night, scratch = nightly.night, nightly.scratch
    name = f"night after a new day, {nightly.events:,} events"
    less = nightly.events / nightly.filed
    return [
        at_least(f"{name}: times fewer events read and filed", less, "", 5),
        against(f"{name}: wall time", night.seconds, "s", scratch.name, scratch.seconds),
        against(f"{name}: CPU time", night.cpu, "s", scratch.name, scratch.cpu),
        Result(f"{name}: store, for each event", nightly.bytes_an_event, "bytes"),
        Result(
            f"{name}: features are those from nothing: {scratch.agreement}",
            float(scratch.agreement.startswith(EQUAL)),
            "",
            mark="1",
            met=scratch.agreement.startswith(EQUAL),
        ),
    ]


def marks(
    comparisons: Sequence[Comparison], growths: Sequence[Growth], memory_limit: float
) -> list[Result]:
    """Return the figures that have a mark, of the sizes that were run.

    Parameters
    ----------
    memory_limit : float
        That leadlight's engine was given, in megabytes.
    """
    found = []
    for comparison in comparisons:
        ours, polars = comparison.named(LEADLIGHT), comparison.named(POLARS)
        size = f"{comparison.events:,} events"
        if ours is None:
            continue
        if polars is not None:
            told = (
                ("wall time", ours.seconds / polars.seconds, 1 / 3),
                ("memory", ours.megabytes / polars.megabytes, 1 / 4),
            )
            for what, ratio, mark in told:
                figure = f"{size}: {what}, of Polars'"
                marked = comparison.events == 10_000_000
                found.append(
                    at_most(figure, ratio, "", mark) if marked else Result(figure, ratio, "")
                )
        if comparison.events == 50_000_000:
            found.append(at_most(f"{size}: peak memory", ours.megabytes, "MB", 1024))
    for growth in growths:
        first, *_, last = growth.measures
        ratio = last.cpu / first.cpu
        figure = f"{growth.what}: CPU of {last.name} over {first.name}"
        below_linear = growth.what == "snapshots a lead"
        found.append(
            at_most(figure, ratio, "", float(last.name) / float(first.name))
            if below_linear
            else Result(figure, ratio, "")
        )
    every = [each for comparison in comparisons for each in comparison.measures]
    every = [each for each in every if each.name.startswith(LEADLIGHT)]
    every += [each for growth in growths for each in growth.measures]
    most = max(each.megabytes for each in every)
    figure = "most memory of any of leadlight's runs"
    return [*found, at_most(figure, most, "MB", memory_limit)]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
