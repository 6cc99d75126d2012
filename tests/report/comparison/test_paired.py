"""Paired comparisons: numbers by hand, and a bootstrap that repeats rows and asks scikit-learn."""

import math
from collections.abc import Callable

import numpy as np
import pandas
import pytest
from sklearn import metrics as sk

from emokit import metrics
from emokit.errors import DataError
from emokit.labels import LABELS
from emokit.predictions import Predictions
from emokit.report.comparison.paired import compare, uar_difference

Said = Callable[..., Predictions]


def rows(*groups: tuple[int, str, str]) -> list[tuple[str, str, str]]:
    """(how many, label, guess), the speakers in turn."""
    flat = [(label, predicted) for number, label, predicted in groups for _ in range(number)]
    return [(f"s{position % 4}", label, predicted) for position, (label, predicted) in enumerate(flat)]


def test_scores_and_classes_differ_by_hand(say: Said) -> None:
    # angry: 6 of 8, then 4 of 8; sad: 1 of 4, then 3 of 4
    first = say(rows((6, "angry", "angry"), (2, "angry", "sad"), (1, "sad", "sad"), (3, "sad", "fear")))
    second = say(rows((4, "angry", "angry"), (4, "angry", "sad"), (3, "sad", "sad"), (1, "sad", "fear")))
    found = compare([first], [second])
    uar = found.scores["uar"]
    assert (uar.first, uar.second, uar.difference) == (0.5, 0.625, 0.125)
    assert found.scores["accuracy"].difference == 0
    assert found.recall["angry"].difference == -0.25
    assert found.recall["sad"].difference == 0.5
    # F1 of sad: 2·1/(4+3) = 2/7, then 2·3/(4+7) = 6/11
    assert found.f1["sad"].difference == pytest.approx(6 / 11 - 2 / 7)
    assert found.recall["happy"].difference is None
    assert found.recall["happy"].interval is None
    assert found.support == {**dict.fromkeys(LABELS, 0), "angry": 8, "sad": 4}
    assert (found.num_common, found.num_clusters, found.cluster) == (12, 4, "speaker")


def test_the_interval_is_that_of_resampling_whole_speakers_for_both_at_once(
    draw: Callable[..., Predictions], monkeypatch: pytest.MonkeyPatch
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
        one, other = (
            sk.balanced_accuracy_score(run.targets[picked], run.probabilities.argmax(axis=1)[picked])
            for run in (first, second)
        )
        changes.append(other - one)
    found = compare([first], [second]).scores["uar"]
    assert found.interval == pytest.approx(tuple(np.quantile(changes, [0.025, 0.975])))
    assert uar_difference([first], [second]) == (found, 140)
    assert found.is_certain == (np.quantile(changes, 0.025) > 0)


def test_a_run_against_itself_is_no_difference(draw: Callable[..., Predictions]) -> None:
    found = compare([draw(1, 0.4)], [draw(1, 0.4)])
    assert all(own.difference == 0 and own.interval == (0, 0) for own in found.scores.values())
    assert not found.scores["uar"].is_certain
    assert found.mcnemar is not None
    assert found.mcnemar.p == 1


def test_only_common_utterances_count_whatever_their_order(draw: Callable[..., Predictions]) -> None:
    first, second = draw(1, 0.4), draw(2, 0.6)
    some = Predictions(second.table.iloc[:100][::-1].reset_index(drop=True), "", "")
    found = compare([first], [some])
    same = compare([Predictions(first.table.iloc[:100], "", "")], [Predictions(second.table.iloc[:100], "", "")])
    assert (found.num_common, found.num_first, found.num_second) == (100, 140, 100)
    assert found.scores == same.scores


def test_few_discordant_pairs_are_tested_by_the_binomial(say: Said) -> None:
    # only the first is right 1 time, only the second 8 times: p = 2 (1 + 9) / 2^9
    first = say(rows((3, "sad", "sad"), (1, "sad", "sad"), (8, "sad", "fear"), (2, "sad", "fear")))
    second = say(rows((3, "sad", "sad"), (1, "sad", "fear"), (8, "sad", "sad"), (2, "sad", "fear")))
    found = compare([first], [second]).mcnemar
    assert found is not None
    assert (found.both, found.only_first, found.only_second, found.neither) == (3, 1, 8, 2)
    assert found.test == "exact binomial"
    assert found.p == pytest.approx(20 / 512)


def test_many_discordant_pairs_are_tested_by_chi_squared(say: Said) -> None:
    first = say(rows((10, "sad", "sad"), (20, "sad", "fear")))
    second = say(rows((10, "sad", "fear"), (20, "sad", "sad")))
    found = compare([first], [second]).mcnemar
    assert found is not None
    assert found.test == "chi-squared with Edwards's correction"
    # (|10 - 20| - 1)^2 / 30 = 2.7, with one degree of freedom
    assert found.p == pytest.approx(math.erfc(math.sqrt(2.7 / 2)))


def test_several_seeds_count_by_their_mean_and_have_no_mcnemar(draw: Callable[..., Predictions]) -> None:
    seeds, other = [draw(1, 0.3), draw(2, 0.5)], draw(3, 0.6)
    found = compare(seeds, [other])
    single = [compare([seed], [other]).scores["uar"].first for seed in seeds]
    assert found.scores["uar"].first == pytest.approx(np.mean(single))
    assert found.mcnemar is None


def test_one_speaker_gives_no_interval(say: Said) -> None:
    one = say([("s", "sad", "sad"), ("s", "fear", "sad")])
    other = say([("s", "sad", "sad"), ("s", "fear", "fear")])
    found = compare([one], [other]).scores["uar"]
    assert (found.difference, found.interval, found.is_certain) == (0.5, None, False)


@pytest.mark.parametrize(("num_speakers", "certain"), [(5, False), (6, True)])
def test_fewer_than_six_speakers_cannot_tell_a_difference_from_zero(
    draw: Callable[..., Predictions], num_speakers: int, certain: bool
) -> None:
    # all five of one mind: 2 in 2**5 = 1 in 16 by chance alone, more than 5 %; six: 1 in 32
    bad, good = draw(1, 0.1, num_speakers=num_speakers), draw(2, 0.95, num_speakers=num_speakers)
    found = compare([bad], [good]).scores["uar"]
    assert found.interval is not None
    assert found.interval[0] > 0
    assert found.is_certain is certain
    assert uar_difference([bad], [good])[0] == found


def test_runs_without_a_common_utterance_are_refused(say: Said) -> None:
    with pytest.raises(DataError) as refused:
        compare([say([("s", "sad", "sad")])], [say([("s", "sad", "sad")], corpus="tess")])
    assert str(refused.value) == (
        "The runs have no test utterance in common, so they cannot be compared; test them on the same corpora."
    )


def test_an_utterance_with_two_labels_is_named(say: Said) -> None:
    with pytest.raises(DataError) as refused:
        compare([say([("s", "sad", "sad"), ("s", "sad", "sad")])], [say([("s", "sad", "sad"), ("s", "fear", "sad")])])
    assert str(refused.value) == (
        "emodb/001 has the label sad in one run and fear in another, so they cannot be compared; prepare their data with "
        "the same map of labels."
    )


def test_dialogues_are_resampled_where_there_are_some(draw: Callable[..., Predictions]) -> None:
    first = draw(1, 0.4)
    table = first.table.assign(dialogue=pandas.Series([f"d{i // 20}" for i in range(140)]))
    found = compare([Predictions(table, "", "")], [draw(2, 0.4)])
    assert (found.num_clusters, found.cluster) == (7, "dialogue")
