"""Kept folds: given back as they were, never half, and only as long as they are asked for."""

import numpy as np

from leadlight.pipelines.fold_store import kept_folds

ARRAYS = {"margins": np.arange(6.0).reshape(2, 3)}


def test_a_kept_fold_is_given_back_to_the_bit(tmp_path):
    with kept_folds(tmp_path) as folds:
        assert folds.recall("a") is None
        folds.keep("a", ARRAYS)
    with kept_folds(tmp_path) as folds:
        np.testing.assert_array_equal(folds.recall("a")["margins"], ARRAYS["margins"])


def test_a_damaged_fold_counts_as_none(tmp_path):
    with kept_folds(tmp_path) as folds:
        folds.keep("a", ARRAYS)
        (path,) = tmp_path.rglob("a.npz")
        path.write_bytes(path.read_bytes()[:40])
        assert folds.recall("a") is None


def test_folds_that_nobody_asked_for_are_removed_and_those_of_other_code_too(tmp_path):
    (tmp_path / "other code").mkdir()
    (tmp_path / "other code" / "a.npz").write_bytes(b"")
    with kept_folds(tmp_path) as folds:
        folds.keep("a", ARRAYS)
        folds.keep("b", ARRAYS)
    with kept_folds(tmp_path) as folds:
        folds.recall("b")
    assert [path.name for path in tmp_path.rglob("*.npz")] == ["b.npz"]
