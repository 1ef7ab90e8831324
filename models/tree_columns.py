"""Tree columns: how scikit-learn's boosted trees number the columns they are given."""

from collections.abc import Collection, Iterable

Pair = tuple[int, int]


def tree_columns(columns: int, category: Collection[int]) -> list[int]:
    """Return the column behind each of the trees' own: they have the categories in front.

    Parameters
    ----------
    columns : int
        Number of columns given.
    category : collection of int
        Those given as ``categorical_features``.
    """
    front = sorted(category)
    return [*front, *(at for at in range(columns) if at not in set(front))]


def interaction_groups(
    columns: int, category: Collection[int], pairs: Iterable[Pair]
) -> list[set[int]]:
    """Return the ``interaction_cst`` that lets each column split alone, and some in pairs.

    scikit-learn (1.9) brings ``monotonic_cst`` into its trees' order of columns, but not
    ``interaction_cst``: given as documented, it would join other columns than those asked for.

    Parameters
    ----------
    columns, category
        As for ``tree_columns``.
    pairs : iterable of (int, int)
        Columns, as given, that a tree may join.
    """
    place = {column: at for at, column in enumerate(tree_columns(columns, category))}
    together = [{place[first], place[second]} for first, second in pairs]
    return together + [{at} for at in range(columns)]
