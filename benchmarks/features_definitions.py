"""Which features the runs compute: those that all can, and all that leadlight has."""

from dataclasses import replace

from features_task import HALF_LIFE, FeatureTask, TaskKind
from features_world import World, WrittenWorld, world_kinds

from leadlight.features.definition import FeatureDefinition, ProfileColumn
from leadlight.features.funnel import funnel_stage
from leadlight.features.taxonomy import DEFAULT_PAGE_RULES

LOOKBACKS = (7, 30, 90)
COMMON_KINDS = 9
"""Kinds of event with features of their own, of the world's 18; makes 96 features."""


def own_kinds(world: World, count: int) -> tuple[TaskKind, ...]:
    """Return the first kinds of a world, in order of name."""
    kinds = (
        TaskKind(kind.name, kind.event_type, kind.stem, funnel_stage(kind.name))
        for kind in world_kinds(world)[:count]
    )
    return tuple(sorted(kinds, key=lambda kind: kind.name))


def common_features(
    kinds: tuple[TaskKind, ...], lookbacks: tuple[int, ...] = LOOKBACKS
) -> FeatureDefinition:
    """Return the definition of what leadlight always computes of behaviour, and values, details."""
    return FeatureDefinition(
        lookback_days=lookbacks,
        event_kinds=tuple(kind.name for kind in kinds),
        page_rules=DEFAULT_PAGE_RULES,
        has_age=False,
        details_of=("",),
        values_of=("",),
        half_life_days=HALF_LIFE,
    )


def all_families(world: World) -> FeatureDefinition:
    """Return a definition with every family on, as for a project that has all tables."""
    kinds = own_kinds(world, world.kinds)
    views = ("page_view_blog", "page_view_pricing", "page_view_product")
    return replace(
        common_features(kinds),
        has_age=True,
        active_days_of=(*views, "email_open"),
        details_of=("", *views, "content_download"),
        values_of=("", "form_submit"),
        email_rates=(("open", 0.8), ("click", 0.3)),
        account=("activity", "seniority", "leads", "deals"),
        history=("earlier_mqls", "times_recycled", "sales_touch"),
        profile=(
            ProfileColumn("seniority", "leads", "job_title", "category", "seniority"),
            ProfileColumn("job_function", "leads", "job_title", "category", "job_function"),
        ),
    )


def task_of(written: WrittenWorld, definition: FeatureDefinition) -> FeatureTask:
    """Return the task of computing a definition; the kinds that peers need come from the world."""
    names = set(definition.event_kinds)
    kinds = own_kinds(written.world, written.world.kinds)
    return FeatureTask(
        folder=written.tables.directory,
        snapshots=written.snapshots,
        output=written.folder / "run" / "features",
        events=written.world.events,
        kinds=tuple(kind for kind in kinds if kind.name in names),
        lookbacks=definition.lookback_days,
        page_type="page_view",
        definition=definition.to_dict(),
        columns=dict(written.tables.columns),
    )
