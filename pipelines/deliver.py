"""The delivery job: each sink is told what changed since it was last told, and nothing else."""

from collections.abc import Collection, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from leadlight.features.errors import ConfigError, MassChangeError, did_you_mean

from .config import Config
from .config_delivery import AnySink, FileSinkSettings
from .delivery.consent import Withheld, withheld
from .delivery.fields import Standing, deliverable, standings, unscored
from .delivery.outbox import Plan, give_another_chance, plan, queue, read_outbox, still_waiting
from .delivery.results import Delivered, SinkReport, Wanted, changes_in_words
from .delivery.sinks import file_sink
from .delivery.telling import ScoredLeads, Tally, tell, write_snapshot
from .ledger import ledger_exists, open_ledger
from .prepare import engine_of
from .progress import Progress
from .run_lock import one_at_a_time
from .scores import newest_partition, read_notes, read_scores
from .status import newest_run, read_status
from .workspace import Workspace


@one_at_a_time("deliver")
def deliver(
    config: Config,
    progress: Progress,
    *,
    sinks: Collection[str] = (),
    dry_run: bool = False,
    wanted: Wanted | None = None,
) -> Delivered:
    """Tell each sink of the leads that changed since it was last told.

    Leads that opted out, or were erased, are told to nobody.

    Parameters
    ----------
    config : Config
    progress : Progress
    sinks : collection of str
        Names; default: all.
    dry_run : bool
        Say what would be sent, and send nothing.
    wanted : Wanted, optional
        Default: every change.

    Raises
    ------
    LeadNotFoundError
        Nothing was scored yet.
    ConfigError
        No sink is configured, or none of that name.
    MassChangeError
        More leads than ``delivery.stop_share`` would change their state; nothing was sent.
    """
    wanted = wanted or Wanted()
    chosen = _chosen(config, sinks)
    with progress.stage("Comparing with what sinks have"):
        partition = newest_partition(Workspace(config.workspace_directory))
        scores = deliverable(read_scores(partition))
        keep = _withheld(config)
        kept = set(scores.filter(_is_of(scores, keep))["lead_id"].to_pylist())
        left = _unscored(config, scores)
        leads = ScoredLeads(
            *(table.filter(pc.invert(_is_of(table, keep))) for table in (scores, left))
        )
        where = standings(leads.table), standings(leads.unscored)
        plans = [_plan(config, sink, *where, wanted, dry_run=dry_run) for sink in chosen]
    if not dry_run and not wanted.confirm:
        _require_few_changes(config, chosen, plans)
    reports = tuple(
        _deliver_to(config, progress, sink, planned, leads, wanted, dry_run=dry_run)
        for sink, planned in zip(chosen, plans, strict=True)
    )
    return Delivered(
        dry_run,
        reports,
        len(kept & keep.opted_out),
        len(kept & keep.erased),
        read_notes(partition),
    )


def _chosen(config: Config, names: Collection[str]) -> list[AnySink]:
    known = {sink.name: sink for sink in config.delivery.sinks}
    if not known:
        raise ConfigError(
            "no sink is configured", hint="Name one under delivery.sinks; see docs/delivery.md."
        )
    for name in names:
        if name not in known:
            raise ConfigError(
                f"no sink is called '{name}'.{did_you_mean(name, known)} Sinks: {', '.join(known)}"
            )
    return [sink for name, sink in known.items() if not names or name in names]


def _is_of(table: pa.Table, keep: Withheld) -> pa.ChunkedArray:
    return pc.is_in(table["lead_id"], pa.array(sorted(keep.leads), pa.string()))


def _unscored(config: Config, scores: pa.Table) -> pa.Table:
    """Return the leads that the newest scores no longer hold; none where no run moved leads."""
    if not scores.num_rows or scores["as_of"][0].as_py() is None or not ledger_exists(config):
        return scores.schema.empty_table()
    run = newest_run(config)
    if run is None or run.as_of != pc.max(scores["as_of"]).as_py():
        return scores.schema.empty_table()
    return unscored(read_status(config, run.as_of), run.as_of, scores)


def _withheld(config: Config) -> Withheld:
    tables = Workspace(config.workspace_directory).tables
    with engine_of(config) as engine, open_ledger(config) as ledger:
        return withheld(engine, tables, ledger, config.delivery.opted_out_columns)


def _plan(
    config: Config,
    sink: AnySink,
    scored: Sequence[Standing],
    left: Sequence[Standing],
    wanted: Wanted,
    *,
    dry_run: bool,
) -> Plan:
    """Plan for a sink; of leads that are not scored any more, only those that it heard of."""
    with open_ledger(config) as ledger:
        if wanted.retry_refused and not dry_run:
            give_another_chance(ledger, sink.name)
        contents = read_outbox(ledger, sink.name)
    heard_of = contents.sent.keys() | contents.waiting.keys()
    return plan(contents, [*scored, *(each for each in left if each.lead_id in heard_of)])


def _require_few_changes(config: Config, sinks: Sequence[AnySink], plans: Sequence[Plan]) -> None:
    for sink, planned in zip(sinks, plans, strict=True):
        share = planned.share_changing_state
        if share > config.delivery.stop_share:
            raise MassChangeError(
                f"{share:.0%} of the leads that sink '{sink.name}' knows would change their state, "
                f"more than {config.delivery.stop_share:.0%} (delivery.stop_share); nothing was "
                "sent to any sink",
                hint="Look at `leadlight deliver --dry-run`. If it is meant, for example after a "
                "new model or threshold: leadlight deliver --confirm",
            )


def _deliver_to(
    config: Config,
    progress: Progress,
    sink: AnySink,
    planned: Plan,
    leads: ScoredLeads,
    wanted: Wanted,
    *,
    dry_run: bool,
) -> SinkReport:
    changes = wanted.of(planned)
    tally = Tally()
    if not dry_run:
        with progress.stage(f"Telling {sink.name}") as told:
            if isinstance(sink, FileSinkSettings) and sink.contents == "snapshot":
                tally = write_snapshot(config, file_sink(sink, config), planned, leads)
            else:
                with open_ledger(config) as ledger:
                    queue(ledger, sink.name, planned)
                tally = tell(config, sink, changes, leads, told)
    with open_ledger(config) as ledger:
        waiting, refused = still_waiting(ledger, sink.name)
    return SinkReport(
        sink.name,
        sink.kind,
        changes_in_words(planned, changes),
        tally.delivered,
        tally.refused,
        len(planned.send) if dry_run else waiting,
        refused,
        tally.problem,
    )
