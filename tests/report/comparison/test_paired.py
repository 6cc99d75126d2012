"""Paired comparisons: numbers by hand, and a bootstrap that repeats rows and scores them with scikit-learn."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas
import pytest
from sklearn import metrics as sk

from emokit import metrics
from emokit.errors import DataError
from emokit.labels import DEFAULT_LABELS, LabelSet
from emokit.predictions import Predictions, make
from emokit.report.comparison.paired import compare, uar_difference

Predict = Callable[..., Predictions]
Draw = Callable[..., Predictions]


def rows(*groups: tuple[int, str, str]) -> list[tuple[str, str, str]]:
    """Rows of (speaker, label, predicted label) from (number, label, predicted label), the speakers in turn."""
    flat = [(label, predicted) for number, label, predicted in groups for _ in range(number)]
    return [(f"s{position % 4}", label, predicted) for position, (label, predicted) in enumerate(flat)]


def test_differences_of_scores_and_classes_are_those_computed_by_hand(predict: Predict) -> None:
    # angry: 6 of 8, then 4 of 8; sad: 1 of 4, then 3 of 4
    first = predict(rows((6, "angry", "angry"), (2, "angry", "sad"), (1, "sad", "sad"), (3, "sad", "fear")))
    second = predict(rows((4, "angry", "angry"), (4, "angry", "sad"), (3, "sad", "sad"), (1, "sad", "fear")))
    comparison = compare([first], [second])
    uar = comparison.scores["uar"]
    assert (uar.first, uar.second, uar.difference) == (0.5, 0.625, 0.125)
    assert comparison.scores["accuracy"].difference == 0
    assert comparison.recall["angry"].difference == -0.25
    assert comparison.recall["sad"].difference == 0.5
    # F1 of sad: 2·1/(4+3) = 2/7, then 2·3/(4+7) = 6/11
    assert comparison.f1["sad"].difference == pytest.approx(6 / 11 - 2 / 7)
    assert comparison.recall["happy"].difference is None
    assert comparison.recall["happy"].interval is None
    assert comparison.support == {**dict.fromkeys(DEFAULT_LABELS, 0), "angry": 8, "sad": 4}
    assert (comparison.num_common, comparison.num_clusters, comparison.cluster) == (12, 4, "speaker")


def test_the_interval_resamples_whole_speakers_of_both_sides_together(
    draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "NUM_RESAMPLES", 60)
    first, second = draw(1, 0.4), draw(2, 0.6)
    speakers = sorted(set(first.table["speaker"]))
    changes = []
    for weights in metrics.bootstrap_weights(len(speakers), 60, seed=0):
        picked = np.concatenate(
            [
                np.repeat(np.flatnonzero(first.table["speaker"] == speaker), int(weight))
                for speaker, weight in zip(speakers, weights, strict=True)
            ]
        )
        before, after = (
            sk.balanced_accuracy_score(run.targets[picked], run.probabilities.argmax(axis=1)[picked])
            for run in (first, second)
        )
        changes.append(after - before)
    uar = compare([first], [second]).scores["uar"]
    assert uar.interval == pytest.approx(tuple(np.quantile(changes, [0.025, 0.975])))
    assert uar_difference([first], [second]) == (uar, 140)
    assert uar.is_certain == (np.quantile(changes, 0.025) > 0)


def test_a_run_does_not_differ_from_itself(draw: Draw) -> None:
    comparison = compare([draw(1, 0.4)], [draw(1, 0.4)])
    assert all(score.difference == 0 and score.interval == (0, 0) for score in comparison.scores.values())
    assert not comparison.scores["uar"].is_certain
    assert comparison.mcnemar is not None
    assert comparison.mcnemar.p == 1


def test_only_common_utterances_count_in_any_order(draw: Draw) -> None:
    first, second = draw(1, 0.4), draw(2, 0.6)
    reversed_rows = replace(second, table=second.table.iloc[:100][::-1].reset_index(drop=True))
    comparison = compare([first], [reversed_rows])
    same = compare(*([replace(run, table=run.table.iloc[:100])] for run in (first, second)))
    assert (comparison.num_common, comparison.num_first, comparison.num_second) == (100, 140, 100)
    assert comparison.scores == same.scores


def test_few_discordant_pairs_are_tested_by_the_binomial(predict: Predict) -> None:
    # only the first is right 1 time, only the second 8 times: p = 2 (1 + 9) / 2^9
    first = predict(rows((3, "sad", "sad"), (1, "sad", "sad"), (8, "sad", "fear"), (2, "sad", "fear")))
    second = predict(rows((3, "sad", "sad"), (1, "sad", "fear"), (8, "sad", "sad"), (2, "sad", "fear")))
    mcnemar = compare([first], [second]).mcnemar
    assert mcnemar is not None
    assert (mcnemar.both, mcnemar.only_first, mcnemar.only_second, mcnemar.neither) == (3, 1, 8, 2)
    assert mcnemar.test == "exact binomial"
    assert mcnemar.p == pytest.approx(20 / 512)


def test_many_discordant_pairs_are_tested_by_chi_squared(predict: Predict) -> None:
    first = predict(rows((10, "sad", "sad"), (20, "sad", "fear")))
    second = predict(rows((10, "sad", "fear"), (20, "sad", "sad")))
    mcnemar = compare([first], [second]).mcnemar
    assert mcnemar is not None
    assert mcnemar.test == "chi-squared with Edwards's correction"
    # (|10 - 20| - 1)^2 / 30 = 2.7, with one degree of freedom
    assert mcnemar.p == pytest.approx(math.erfc(math.sqrt(2.7 / 2)))


def test_several_seeds_count_by_their_mean_and_have_no_mcnemar_test(draw: Draw) -> None:
    seeds, other = [draw(1, 0.3), draw(2, 0.5)], draw(3, 0.6)
    comparison = compare(seeds, [other])
    single = [compare([seed], [other]).scores["uar"].first for seed in seeds]
    assert comparison.scores["uar"].first == pytest.approx(np.mean(single))
    assert comparison.mcnemar is None


def test_one_speaker_has_no_interval(predict: Predict) -> None:
    first = predict([("s", "sad", "sad"), ("s", "fear", "sad")])
    second = predict([("s", "sad", "sad"), ("s", "fear", "fear")])
    uar = compare([first], [second]).scores["uar"]
    assert (uar.difference, uar.interval, uar.is_certain) == (0.5, None, False)


@pytest.mark.parametrize(("num_speakers", "certain"), [(5, False), (6, True)])
def test_a_difference_over_fewer_than_six_speakers_is_not_significant(
    draw: Draw, num_speakers: int, certain: bool
) -> None:
    # All five favour the same side by chance with probability 2 / 2**5 = 1 / 16, above 5 %; all six with 1 / 32.
    bad, good = draw(1, 0.1, num_speakers=num_speakers), draw(2, 0.95, num_speakers=num_speakers)
    uar = compare([bad], [good]).scores["uar"]
    assert uar.interval is not None
    assert uar.interval[0] > 0
    assert uar.is_certain is certain
    assert uar_difference([bad], [good])[0] == uar


def test_runs_without_a_common_utterance_are_refused(predict: Predict) -> None:
    with pytest.raises(DataError) as refused:
        compare([predict([("s", "sad", "sad")])], [predict([("s", "sad", "sad")], corpus="tess")])
    assert str(refused.value) == (
        "The runs have no test utterance in common, so they cannot be compared; test them on the same corpora."
    )


def test_an_utterance_with_two_labels_is_named(predict: Predict) -> None:
    with pytest.raises(DataError) as refused:
        compare(
            [predict([("s", "sad", "sad"), ("s", "sad", "sad")])],
            [predict([("s", "sad", "sad"), ("s", "fear", "sad")])],
        )
    assert str(refused.value) == (
        "emodb/001 has the label sad in one run and fear in another, so they cannot be compared; prepare their data with "
        "the same map of labels."
    )


def test_runs_with_different_label_sets_are_refused(predict: Predict) -> None:
    seven = predict([("s", "sad", "sad")])
    labels = LabelSet(("happy", "sad"))
    two = make(seven.table, np.array([[0.2, 0.8]]), labels=labels, model="", fingerprint="")
    with pytest.raises(DataError) as refused:
        compare([seven], [two])
    assert str(refused.value) == (
        "One run predicts the labels angry, disgust, fear, happy, neutral, sad, surprise and another happy, sad, so they "
        "cannot be compared; train them on the same label set."
    )
    assert compare([two], [two]).support == {"happy": 0, "sad": 1}


def test_dialogues_are_resampled_where_all_utterances_have_one(draw: Draw) -> None:
    first = draw(1, 0.4)
    table = first.table.assign(dialogue=pandas.Series([f"d{i // 20}" for i in range(140)]))
    comparison = compare([replace(first, table=table)], [draw(2, 0.4)])
    assert (comparison.num_clusters, comparison.cluster) == (7, "dialogue")
