"""Training: chosen, calibrated and judged in time order; the same again for the same seed."""

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lead_frames import FEATURES, dated, feature, leads
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from leadlight.features.errors import NoSignalError, NotEnoughDataError, SchemaMismatchError
from leadlight.models.candidates import CANDIDATES, CEILING
from leadlight.models.encoding import LeadEncoder, feature_kinds
from leadlight.models.fitted_model import fit_model
from leadlight.models.training import TrainingResult, train_model
from leadlight.models.training_rows import Watch

DATA = Path(os.environ.get("LEADLIGHT_DATA", Path(__file__).parents[2] / "../shared/data"))


@pytest.fixture(scope="module")
def frame():
    return dated(leads(6000), dates=30)


@pytest.fixture(scope="module")
def result(frame):
    return train_model(frame, FEATURES, horizon_days=60, seed=0)


def test_model_ranks_and_calibrates_on_the_last_window(result: TrainingResult):
    evaluation = result.evaluation
    assert evaluation.auc.low > 0.75
    assert evaluation.rows == len(result.windows.test)
    assert abs(result.held_out["probability"].mean() - evaluation.base_rate.value) < 0.05
    assert 0.7 < evaluation.calibration_slope.value < 1.3


def test_held_out_rows_are_the_test_window_scored_by_the_compiled_model(frame, result):
    test = frame.iloc[result.windows.test]
    held_out = result.held_out
    assert held_out["lead_id"].tolist() == test["lead_id"].tolist()
    np.testing.assert_array_equal(held_out["margin"], result.fitted.compiled.margin(test))
    np.testing.assert_array_equal(
        held_out["probability"], result.fitted.calibration.probability(held_out["margin"])
    )
    total = result.fitted.compiled.baseline + held_out["fit"] + held_out["engagement"]
    np.testing.assert_allclose(total, held_out["margin"], rtol=0, atol=1e-9)
    assert held_out["fit_percentile"].between(0.0, 1.0).all()


def test_the_test_window_is_never_learned_from(frame, result):
    spoiled = frame.copy()
    label = spoiled.columns.get_loc("label")
    some = result.windows.test[::10]
    spoiled.iloc[some, label] = ~frame["label"].iloc[some]
    other = train_model(spoiled, FEATURES, horizon_days=60, seed=0)
    np.testing.assert_array_equal(other.windows.test, result.windows.test)
    np.testing.assert_array_equal(other.held_out["probability"], result.held_out["probability"])
    assert other.evaluation.auc.value < result.evaluation.auc.value - 0.03
    # What scores afterwards does learn from it.
    assert other.final.compiled.margin(frame) != pytest.approx(result.final.compiled.margin(frame))


def test_what_scores_is_the_evaluated_model_fitted_again_on_all_rows(frame, result):
    final, fitted = result.final, result.fitted
    assert final.weights == fitted.weights
    assert final.candidates == fitted.candidates
    assert final.features == fitted.features
    assert final.known_until > fitted.known_until
    assert final.probability(frame).mean() == pytest.approx(frame["label"].mean(), abs=0.01)
    both = np.corrcoef(final.compiled.margin(frame), fitted.compiled.margin(frame))[0, 1]
    assert 0.95 < both < 1.0


def test_where_features_drift_what_scores_is_chosen_anew_with_the_last_window():
    frame = drifting_leads().iloc[::2]
    result = train_model(frame, FEATURES, horizon_days=90, seed=0)
    anew = fit_model(frame, FEATURES, horizon_days=90, seed=0)
    assert result.final.features == anew.features
    np.testing.assert_array_equal(result.final.probability(frame), anew.probability(frame))


def test_percentiles_place_a_lead_among_the_last_window_as_the_final_model_sees_it(frame, result):
    margin = result.final.compiled.margin(frame.iloc[result.windows.test])
    places = result.reference.margin.percentile(margin)
    assert places.mean() == pytest.approx(0.5, abs=0.01)


def test_the_blend_is_of_the_candidates_that_are_chosen_and_each_has_an_interval(result):
    fitted = result.fitted
    assert [each.name for each in fitted.candidates] == [*CANDIDATES, CEILING]
    assert {each.name for each in fitted.candidates if each.chosen} == set(fitted.weights)
    assert CEILING not in fitted.weights
    assert all(weight > 0 for weight in fitted.weights.values())
    for each in fitted.candidates:
        assert each.log_loss.low < each.log_loss.value < each.log_loss.high
        assert each.to_dict()["log_loss"]["value"] == each.log_loss.value


def test_unseen_leads_are_evaluated_apart_where_there_are_enough():
    recurring = dated(leads(6000), dates=30)
    fresh = recurring.assign(lead_id=[f"lead-{at}" for at in range(len(recurring))])
    apart = train_model(fresh, FEATURES, horizon_days=60, seed=0)
    assert apart.unseen is not None
    assert apart.unseen.rows == apart.evaluation.rows
    known = recurring.assign(lead_id=[f"lead-{at % 40}" for at in range(len(recurring))])
    assert train_model(known, FEATURES, horizon_days=60, seed=0).unseen is None


def test_a_lead_that_was_young_before_the_test_window_is_not_unseen():
    frame = dated(leads(6000), dates=30)
    number = np.random.default_rng(1).integers(0, 4000, len(frame))
    frame["lead_id"] = [f"lead-{at}" for at in number]
    trained = train_model(frame, FEATURES, horizon_days=60, seed=0)
    windows = trained.windows
    test = frame["lead_id"].iloc[windows.test]
    unseen = ~test.isin(frame["lead_id"].iloc[windows.before_test])
    assert trained.unseen is not None
    assert trained.unseen.rows == unseen.sum()
    assert unseen.sum() < (~test.isin(frame["lead_id"].iloc[windows.train])).sum()


def test_importance_names_each_feature_and_puts_the_signal_first(result):
    importance = result.importance
    assert list(importance) == [each.name for each in FEATURES]
    assert max(importance, key=importance.__getitem__) == "visits"
    assert importance["always the same"] == pytest.approx(0.0, abs=1e-12)


def test_same_seed_gives_the_same_model_to_the_last_bit(frame, result):
    again = train_model(frame, FEATURES, horizon_days=60, seed=0)
    plain, arrays = result.fitted.compiled.to_payload()
    other_plain, other_arrays = again.fitted.compiled.to_payload()
    assert plain == other_plain
    assert {name: array.tobytes() for name, array in arrays.items()} == {
        name: array.tobytes() for name, array in other_arrays.items()
    }
    assert again.fitted.calibration == result.fitted.calibration
    assert again.final.calibration == result.final.calibration
    assert again.final.compiled.to_payload()[0] == result.final.compiled.to_payload()[0]
    pd.testing.assert_frame_equal(again.held_out, result.held_out, check_exact=True)
    assert again.evaluation.to_dict() == result.evaluation.to_dict()


@pytest.mark.parametrize(("dates", "rolling"), [(12, True), (5, False)])
def test_short_histories_are_trained_with_fewer_windows(dates, rolling):
    trained = train_model(dated(leads(6000), dates=dates), FEATURES, horizon_days=90, seed=0)
    assert trained.fitted.folds.rolling is rolling
    assert trained.evaluation.auc.low > 0.7
    assert abs(trained.held_out["probability"].mean() - trained.held_out["label"].mean()) < 0.06


def test_flat_tables_without_order_are_trained():
    trained = train_model(leads(3000), FEATURES, horizon_days=90, seed=0)
    assert "drawn at random" in trained.windows.description[0]
    assert trained.evaluation.auc.low > 0.65


def test_a_table_of_pure_noise_has_no_usable_signal_and_says_what_was_tried():
    noise = leads(3000)
    noise["label"] = np.random.default_rng(0).random(len(noise)) < 0.3
    with pytest.raises(NoSignalError, match="no usable signal") as refused:
        train_model(noise, FEATURES, horizon_days=90, seed=0)
    assert any(said.startswith("logistic: log loss") for said in refused.value.tried)
    assert refused.value.evaluation["auc"]["low"] < 0.5


def test_twenty_wins_are_enough_to_train():
    few = leads(800)
    few["visits"] = np.where(np.arange(800) % 40 == 0, 30, few["visits"] % 5)
    few["label"] = np.arange(800) % 40 == 0
    trained = train_model(few, FEATURES, horizon_days=90, seed=0)
    assert trained.evaluation.positives >= 5
    assert trained.evaluation.auc.value > 0.9


def test_the_better_shape_wins_where_it_is_clearly_better():
    generator = np.random.default_rng(0)
    frame = leads(4000)
    frame["visits"] = generator.integers(0, 20, 4000)
    frame["label"] = generator.random(4000) < np.where(frame["visits"].between(7, 12), 0.8, 0.1)
    fitted = fit_model(frame, FEATURES, horizon_days=90, seed=0)
    assert max(fitted.weights, key=fitted.weights.__getitem__).startswith("boosted")


def test_rows_before_a_change_lose_weight():
    frame = leads(6000).assign(position=np.arange(6000.0))
    old = np.arange(6000) < 4000
    generator = np.random.default_rng(0)
    chance = np.where(old == (frame["visits"] > 3), 0.6, 0.1)
    frame["label"] = generator.random(6000) < chance
    later = leads(2000, seed=1)
    later["label"] = generator.random(2000) < np.where(later["visits"] > 3, 0.1, 0.6)
    fitted = fit_model(frame.iloc[1000:], FEATURES, horizon_days=90, seed=0)
    assert fitted.recency.half_life is not None
    assert fitted.recency.half_life < 2000


def drifting_leads():
    """Leads whose recency is the calendar's, and whose base rate is, too."""
    frame = leads(6000).assign(position=np.arange(6000.0))
    generator = np.random.default_rng(0)
    era = np.arange(6000) // 600
    frame["days_since_last"] = era + generator.normal(scale=1.0, size=6000)
    rate = np.array([0.02, 0.05, 0.15, 0.4, 0.3, 0.2, 0.1, 0.05, 0.05, 0.05])[era]
    odds = np.log(rate / (1 - rate)) + 0.5 * (frame["visits"] - 3)
    frame["label"] = generator.random(6000) < 1 / (1 + np.exp(-odds))
    return frame


def test_a_feature_that_moves_with_time_and_misleads_is_left_out():
    fitted = fit_model(drifting_leads(), FEATURES, horizon_days=90, seed=0)
    assert fitted.drifts
    assert "days_since_last" not in {each.name for each in fitted.features}
    assert "visits" in {each.name for each in fitted.features}


def test_a_kept_fold_is_not_fitted_again(frame):
    kept: dict[str, object] = {}
    done: list[tuple[int, int]] = []

    class Store:
        def recall(self, key):
            return kept.get(key)

        def keep(self, key, arrays):
            kept[key] = dict(arrays)

    watch = Watch(done=lambda *of: done.append(of), store=Store())
    first = fit_model(frame, FEATURES, horizon_days=60, seed=0, watch=watch)
    fits = len(done)
    again = fit_model(frame, FEATURES, horizon_days=60, seed=0, watch=watch)
    assert fits == len(kept) > 0
    assert len(done) == fits
    np.testing.assert_array_equal(again.compiled.margin(frame), first.compiled.margin(frame))
    fit_model(frame, FEATURES, horizon_days=60, seed=1, watch=watch)
    assert len(done) > fits


def test_no_features_is_one_clear_error(frame):
    with pytest.raises(NotEnoughDataError, match="no feature"):
        train_model(frame, (), horizon_days=60, seed=0)


def test_no_rows_is_one_clear_error(frame):
    with pytest.raises(NotEnoughDataError, match="no mature snapshot"):
        train_model(frame.iloc[:0], FEATURES, horizon_days=60, seed=0)


def test_a_feature_that_the_frame_lacks_is_named(frame):
    with pytest.raises(SchemaMismatchError, match="'revenue' is missing"):
        train_model(frame.drop(columns="revenue"), FEATURES, horizon_days=60, seed=0)


def test_progress_is_told_in_words(frame):
    told: list[str] = []
    watch = Watch(tell=told.append)
    train_model(frame.iloc[:3000], FEATURES, horizon_days=60, seed=0, watch=watch)
    assert any(said.startswith("fitting logistic") for said in told)
    assert "evaluating on the last window" in told


def _flat(table: pd.DataFrame, label: "pd.Series[bool]", position: "pd.Series[float]"):
    table = table.rename(columns=lambda name: re.sub(r"\W+", "_", name).lower())
    keys = leads(len(table))[["lead_id", "account_id", "as_of"]]
    frame = pd.concat([keys.assign(label=label, position=position), table], axis=1)
    kinds = {c: "numeric" if pd.api.types.is_numeric_dtype(table[c]) else "category" for c in table}
    return frame, tuple(feature(column, kind) for column, kind in kinds.items())


def _bank():
    table = pd.read_csv(DATA / "bank" / "bank-additional-full.csv.gz", sep=";")
    label = table.pop("y") == "yes"
    return _flat(table.drop(columns="duration"), label, pd.Series(np.arange(len(table)) * 1.0))


def _xeducation():
    table = pd.read_csv(DATA / "xeducation" / "Leads.csv", na_values=["Select"])
    label, number = table.pop("Converted") == 1, table.pop("Lead Number").astype(float)
    after_contact = ["Tags", "Lead Quality", "Lead Profile", "Last Notable Activity"]
    after_contact += [name for name in table if name.startswith("Asymmetrique")]
    return _flat(
        table.drop(columns=["Prospect ID", "Last Activity", *after_contact]), label, number
    )


@pytest.mark.real_data
@pytest.mark.parametrize("read", [_bank, _xeducation], ids=["bank", "xeducation"])
def test_real_leads_are_ranked_as_well_as_by_plain_boosted_trees(read):
    if not DATA.is_dir():
        pytest.skip(f"public data not found at {DATA}; set LEADLIGHT_DATA")
    frame, features = read()
    trained = train_model(frame, features, horizon_days=90, seed=0)
    windows, won = trained.windows, frame["label"].to_numpy()
    assert trained.fitted.folds.rolling
    names = tuple(each.name for each in features)
    matrix = LeadEncoder(names, feature_kinds(features)).fit(frame).transform(frame)
    matrix[matrix > 250] = 250.0  # the peer takes no more levels
    category = [at for at, each in enumerate(features) if each.kind == "category"]
    peer = HistGradientBoostingClassifier(categorical_features=category, random_state=0)
    peer.fit(matrix[windows.train], won[windows.train])
    chance = peer.predict_proba(matrix[windows.test])[:, 1]
    assert trained.evaluation.auc.value >= roc_auc_score(won[windows.test], chance) - 0.02


def test_where_no_label_of_late_is_mature_the_scores_of_new_leads_guess_the_level(frame, result):
    share = 0.1
    generator = np.random.default_rng(0)
    taken = np.concatenate(
        [
            generator.choice(np.flatnonzero(frame["label"]), int(4000 * share)),
            generator.choice(np.flatnonzero(~frame["label"]), int(4000 * (1 - share))),
        ]
    )
    shifted = train_model(
        frame, FEATURES, horizon_days=60, seed=0, unlabelled=frame.iloc[taken].drop(columns="label")
    )
    found = shifted.label_shift
    assert found is not None
    assert "look as if" in found.sentence()
    assert found.base_rate == pytest.approx(share, abs=0.03)
    assert shifted.final.probability(frame.iloc[taken]).mean() == pytest.approx(share, abs=0.03)
    # The figures are those of the model that was judged, by labels.
    assert shifted.evaluation.to_dict() == result.evaluation.to_dict()
    assert result.label_shift is None
