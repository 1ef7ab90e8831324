"""Metrics: a run of the monitor as a Prometheus textfile, for node_exporter's collector."""

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge, generate_latest

if TYPE_CHECKING:
    from .monitor import Monitored


def metrics_text(told: "Monitored") -> bytes:
    """Return gauges in the text format of Prometheus; equal runs give equal bytes."""
    registry = CollectorRegistry()

    def gauge(name: str, meaning: str, value: float | None, **labels: str) -> None:
        known = gauges.get(name)
        if known is None:
            known = Gauge(name, meaning, ["project", *labels], registry=registry)
            gauges[name] = known
        if value is not None:
            known.labels(project=told.project, **labels).set(value)

    gauges: dict[str, Gauge] = {}
    gauge("leadlight_monitor_status", "0 fine, 1 attention, 2 act", told.exit_code)
    gauge("leadlight_monitor_as_of_seconds", "Instant of the scores, UTC", told.as_of.timestamp())
    gauge("leadlight_decision_version", "Version of the champion", told.decision_version)
    for alarm in told.alarms:
        level = {"attention": 1, "act": 2}[alarm.level]
        gauge("leadlight_alarm", "1 attention, 2 act", level, kind=alarm.kind, what=alarm.what)
    for one in told.drifts:
        gauge("leadlight_feature_psi", "Population stability index", one.psi, feature=one.name)
    for stream in told.streams:
        gauge(
            "leadlight_events_yesterday",
            "Events of the last day",
            stream.yesterday,
            event_type=stream.name,
        )
    gauge("leadlight_leads", "Leads scored", told.estimated.leads)
    gauge("leadlight_mqls", "Leads that are MQLs", told.estimated.mqls)
    gauge("leadlight_estimated_auc", "AUC by the scores alone", told.estimated.auc)
    gauge("leadlight_estimated_precision", "Share of MQLs to be won", told.estimated.precision)
    if told.conversion is not None:
        gauge("leadlight_realised_over_promised", "Wins of mature scores", told.conversion.ratio)
    return generate_latest(registry)
