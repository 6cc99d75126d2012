"""Scores against scikit-learn and values computed by hand; intervals against a loop that resamples rows."""

import json
from typing import Any

import numpy as np
import pandas
import pytest
from sklearn import metrics as reference

from emokit import metrics, predictions
from emokit.labels import DEFAULT_LABELS, LabelSet

LETTERS = "ADFHNSU"  # angry disgust fear happy neutral sad surprise


def made(
    targets: np.ndarray, probabilities: np.ndarray, *, clusters: Any = None, corpus: Any = "emodb", dialogue: Any = None
) -> predictions.Predictions:
    table = pandas.DataFrame(
        {
            "utterance_id": [f"u{i:04}" for i in range(len(targets))],
            "corpus": corpus,
            "speaker": "03" if clusters is None else [str(cluster) for cluster in clusters],
            "dialogue": dialogue,
            "split": "test",
            "label": [DEFAULT_LABELS[target] for target in targets],
        }
    )
    return predictions.make(table, probabilities, labels=DEFAULT_LABELS, model="m", fingerprint="")


def drawn(seed: int, n: int = 200, *, absent: tuple[int, ...] = (), tied: bool = False) -> predictions.Predictions:
    """Random truth without the classes `absent`, random probabilities that often tie, 9 speakers of uneven size."""
    rng = np.random.default_rng(seed)
    present = [target for target in range(7) if target not in absent]
    targets = rng.choice(present, n)
    logits = rng.integers(0, 3, (n, 7)).astype(float) if tied else rng.normal(size=(n, 7))
    logits[np.arange(n), targets] += 1
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return made(targets, probabilities, clusters=rng.integers(0, 9, n) ** 2 // 9, corpus=rng.choice(["a", "b"], n))


def expected(targets: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    occurring = np.unique(targets)
    return {
        "accuracy": reference.accuracy_score(targets, predicted),
        "uar": reference.recall_score(targets, predicted, labels=occurring, average="macro", zero_division=0),
        "weighted_f1": reference.f1_score(targets, predicted, average="weighted", zero_division=0),
        "macro_f1": reference.f1_score(targets, predicted, average="macro", zero_division=0),
    }


CASES = [
    pytest.param({"seed": seed, **how}, id=f"{seed} {name}")
    for seed in range(3)
    for name, how in {
        "plain": {},
        "tied": {"tied": True},
        "one class missing": {"absent": (1,)},
        "two classes in the truth": {"absent": (0, 1, 2, 5, 6)},
        "few": {"n": 5},
    }.items()
]


@pytest.mark.parametrize("how", CASES)
def test_every_score_is_scikit_learns(how: dict[str, Any]) -> None:
    given = drawn(**how)
    targets, predicted = given.targets, given.probabilities.argmax(axis=1)
    scored = metrics.score(given, num_resamples=2)
    assert {name: scored[name] for name in metrics.SCORES} == pytest.approx(expected(targets, predicted), abs=1e-12)
    assert scored["nll"] == pytest.approx(
        reference.log_loss(targets, given.probabilities.astype(np.float32), labels=range(7)), abs=1e-6
    )
    assert scored["confusion"] == reference.confusion_matrix(targets, predicted, labels=range(7)).tolist()
    table = reference.precision_recall_fscore_support(targets, predicted, labels=range(7), zero_division=0)
    for i, label in enumerate(DEFAULT_LABELS):
        values = dict(zip(("precision", "recall", "f1", "support"), (row[i] for row in table), strict=True))
        assert scored["per_class"][label] == pytest.approx(values, abs=1e-12)


def test_uar_is_scikit_learns_balanced_accuracy_when_only_classes_of_the_truth_are_predicted() -> None:
    targets = np.array([0, 0, 0, 3, 3, 5])
    predicted = np.array([0, 0, 3, 3, 5, 0])
    uar = metrics.plain_scores(targets, predicted, 7)["uar"]
    assert uar == pytest.approx(reference.balanced_accuracy_score(targets, predicted))
    assert uar == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)


def test_scores_per_corpus_are_those_of_its_rows_alone() -> None:
    given = drawn(5)
    corpora = given.table["corpus"].to_numpy()
    scored = metrics.score(given, num_resamples=2)["per_corpus"]
    assert list(scored) == ["a", "b"]
    for corpus in "ab":
        rows = corpora == corpus
        values = expected(given.targets[rows], given.probabilities[rows].argmax(axis=1))
        assert scored[corpus] == pytest.approx({"n": rows.sum(), **values}, abs=1e-12)


def test_scores_per_gender_are_those_of_the_utterances_whose_gender_is_known() -> None:
    given = drawn(5)
    ids = given.table["utterance_id"]
    known = pandas.Series(["female", None] * (len(ids) // 2), index=ids[: len(ids) // 2 * 2], dtype="string")
    scored = metrics.per_gender(given, known)
    rows = ids.isin(known.index[known.notna()]).to_numpy()
    values = expected(given.targets[rows], given.probabilities[rows].argmax(axis=1))
    assert scored == {"female": pytest.approx({"n": rows.sum(), **values}, abs=1e-12)}
    assert metrics.per_gender(given, pandas.Series(dtype="string")) == {}


def of_confidences(*rows: tuple[float, bool]) -> predictions.Predictions:
    """Rows of (confidence, whether the prediction is right); the other six classes share the rest equally."""
    probabilities = np.array([[(1 - confidence) / 6] * 7 for confidence, _ in rows])
    probabilities[:, 0] = [confidence for confidence, _ in rows]
    return made(np.array([0 if right else 1 for _, right in rows]), probabilities)


@pytest.mark.parametrize(
    ("rows", "ece"),
    [
        # One bin, (0.8667, 0.9333]: mean confidence 0.9, half of it right.
        ([(0.9, True), (0.9, False)], 0.4),
        # Two bins: 0.9 with 1 of 2 right, 0.5 with 1 of 2 right: (2 * 0.4 + 2 * 0.0) / 4.
        ([(0.9, True), (0.9, False), (0.5, True), (0.5, False)], 0.2),
        # Within a bin over- and underconfidence cancel: 0.42 and 0.46 both lie in (0.4, 0.4667]: |0.88 - 1| / 2.
        ([(0.42, True), (0.46, False)], 0.06),
        # 0.39 and 0.41 lie in two bins, parted at 0.4: (|0.39 - 1| + |0.41 - 0|) / 2.
        ([(0.39, True), (0.41, False)], 0.51),
        # 0.4 itself belongs to the bin below, with 0.39: |0.79 - 1| / 2.
        ([(0.39, True), (0.4, False)], 0.105),
        ([(0.4, True), (0.41, False)], 0.505),
        # Certain and right; certain and wrong.
        ([(1.0, True)], 0.0),
        ([(1.0, False)], 1.0),
    ],
)
def test_the_calibration_error_is_the_one_computed_by_hand(rows: list[tuple[float, bool]], ece: float) -> None:
    assert metrics.score(of_confidences(*rows), num_resamples=2)["ece"] == pytest.approx(ece, abs=1e-6)


def test_a_certain_error_costs_the_logarithm_of_the_smallest_probability() -> None:
    scored = metrics.score(of_confidences((1.0, False), (1.0, True)), num_resamples=2)
    assert scored["nll"] == pytest.approx(-np.log(1e-12) / 2)


def test_resamples_of_clusters_are_resamples_of_their_rows() -> None:
    given = drawn(11, 120, absent=(2,))
    clusters, targets, probabilities = given.clusters, given.targets, given.probabilities
    sums, names = metrics.cluster_sums(given)
    assert names.tolist() == sorted(set(clusters))
    weights = metrics.bootstrap_weights(len(names), 40, seed=3)
    fast = metrics.scores(sums.resampled(weights))
    for i, drawn_times in enumerate(weights.astype(int)):
        rows = np.concatenate(
            [np.flatnonzero(clusters == n) for n, times in zip(names, drawn_times, strict=True) for _ in range(times)]
        )
        truth, drawn_rows = targets[rows], probabilities[rows]
        predicted, confidence = drawn_rows.argmax(axis=1), drawn_rows.max(axis=1)
        slow = expected(truth, predicted)
        slow["nll"] = -np.mean([np.log(row[target]) for row, target in zip(drawn_rows, truth, strict=True)])
        slow["ece"] = 0.0
        for k in range(15):
            inside = (confidence > k / 15) & (confidence <= (k + 1) / 15)
            if inside.any():
                gap = confidence[inside].mean() - (predicted == truth)[inside].mean()
                slow["ece"] += abs(gap) * inside.mean()
        assert {name: values[i] for name, values in fast.items()} == pytest.approx(slow, abs=1e-9)


def test_the_interval_holds_the_middle_95_percent_of_the_resamples() -> None:
    given = drawn(11, 120)
    scored = metrics.score(given, num_resamples=400, seed=5)
    sums, names = metrics.cluster_sums(given)
    resampled = metrics.scores(sums.resampled(metrics.bootstrap_weights(len(names), 400, seed=5)))
    for name in metrics.INTERVALS:
        low, high = scored["interval"][name]
        assert [low, high] == pytest.approx(np.percentile(resampled[name], [2.5, 97.5]).tolist())
        assert np.mean((resampled[name] >= low) & (resampled[name] <= high)) == pytest.approx(0.95, abs=0.01)


def test_each_resample_draws_as_many_clusters_as_there_are_and_all_equally_often() -> None:
    weights = metrics.bootstrap_weights(8, 4000, seed=0)
    assert set(weights.sum(axis=1)) == {8.0}
    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=0.08)
    # The number of times that a cluster is drawn is binomial: variance n p (1 - p) = 8 * 1/8 * 7/8.
    np.testing.assert_allclose(weights.var(axis=0), 0.875, atol=0.1)


def test_the_interval_covers_the_true_accuracy_in_about_95_percent_of_samples() -> None:
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(100):
        # 40 speakers of 10 utterances; each speaker has another probability of being recognised.
        skill = np.repeat(rng.beta(6, 4, 40), 10)
        right = rng.random(400) < skill
        probabilities = np.full((400, 7), 0.05)
        probabilities[np.arange(400), np.where(right, 0, 1)] = 0.7
        given = made(np.zeros(400, int), probabilities, clusters=np.repeat(np.arange(40), 10))
        low, high = metrics.score(given, num_resamples=200)["interval"]["accuracy"]
        covered.append(low <= 0.6 <= high)
    assert 0.88 <= np.mean(covered) <= 0.99


def test_the_same_seed_gives_the_same_interval() -> None:
    given = drawn(1)
    assert metrics.score(given, seed=4) == metrics.score(given, seed=4)
    assert metrics.score(given, seed=4)["interval"] != metrics.score(given, seed=5)["interval"]


def test_a_single_cluster_has_an_interval_of_no_width() -> None:
    given = drawn(2)
    scored = metrics.score(made(given.targets, given.probabilities), num_resamples=10)
    assert scored["num_clusters"] == 1
    for name in metrics.INTERVALS:
        assert scored["interval"][name] == pytest.approx([scored[name]] * 2)


def test_the_unit_of_resampling_is_named() -> None:
    given = drawn(2, 4)
    scored = metrics.score(given, num_resamples=2)
    assert (scored["n"], scored["cluster"]) == (4, "speaker")
    talk = made(given.targets, given.probabilities, dialogue=["d1", "d1", "d2", "d3"])
    scored = metrics.score(talk, num_resamples=2)
    assert (scored["num_clusters"], scored["cluster"]) == (3, "dialogue")
    mixed = made(given.targets, given.probabilities, dialogue=["d1", "d1", "d2", None])
    scored = metrics.score(mixed, num_resamples=2)
    assert (scored["num_clusters"], scored["cluster"]) == (3, "group")  # two dialogues and one speaker


def test_scores_are_plain_json() -> None:
    scored = metrics.score(drawn(0), num_resamples=2)
    assert json.loads(json.dumps(scored, allow_nan=False)) == scored


def letters(text: str) -> pandas.Series:
    return pandas.Series([DEFAULT_LABELS[LETTERS.index(letter)] for letter in text])


def truth_of(text: str) -> predictions.Predictions:
    return made(np.array([LETTERS.index(letter) for letter in text]), np.full((len(text), 7), 1 / 7))


def test_the_majority_baseline_is_the_one_computed_by_hand() -> None:
    # Always "neutral": 2 of 4 right; recalls 1, 0, 0; F1 of neutral 2*2 / (2 + 4) = 2/3.
    baseline = metrics.majority_baseline(letters("NNNHS"), truth_of("NNHA"))
    expected = {"accuracy": 1 / 2, "uar": 1 / 3, "weighted_f1": 2 / 3 * 2 / 4, "macro_f1": 2 / 9}
    assert {name: baseline[name] for name in metrics.SCORES} == pytest.approx(expected)
    assert np.sum(baseline["confusion"]) == 4
    assert set(baseline["interval"]) == set(metrics.SCORES)
    assert all(low <= baseline[name] <= high for name, (low, high) in baseline["interval"].items())


def test_the_majority_label_of_training_counts_even_when_the_truth_lacks_it() -> None:
    baseline = metrics.majority_baseline(letters("UUN"), truth_of("NN"))
    assert {name: baseline[name] for name in metrics.SCORES} == dict.fromkeys(metrics.SCORES, 0.0)


def test_of_labels_equally_frequent_in_training_the_first_is_the_majority() -> None:
    assert metrics.majority_baseline(letters("NNHHS"), truth_of("H"))["accuracy"] == 1
    assert metrics.majority_baseline(letters("HHNNS"), truth_of("H"))["accuracy"] == 1


def test_scores_have_the_classes_of_the_label_set_of_the_predictions() -> None:
    labels = LabelSet(["low", "medium", "high"])
    table = truth_of("NNN").table.assign(label=["low", "high", "high"]).drop(columns=DEFAULT_LABELS.columns)
    probabilities = np.array([[0.8, 0.1, 0.1], [0.2, 0.2, 0.6], [0.6, 0.2, 0.2]])
    given = predictions.make(table, probabilities, labels=labels, model="m", fingerprint="")
    scored = metrics.score(given, num_resamples=2)
    assert scored["confusion"] == [[1, 0, 0], [0, 0, 0], [1, 0, 1]]
    assert list(scored["per_class"]) == ["low", "medium", "high"]
    assert scored["uar"] == pytest.approx((1 + 1 / 2) / 2)
    baseline = metrics.majority_baseline(pandas.Series(["high", "high", "low"]), given)
    assert baseline["confusion"] == [[0, 0, 1], [0, 0, 0], [0, 0, 2]]


def test_the_measures_of_calibration_by_hand():
    probabilities = np.zeros((4, 7))
    probabilities[:, 0], probabilities[:, 1] = 0.8, 0.2
    measures = metrics.quality(probabilities, np.array([0, 0, 0, 1]))
    assert measures["ece"] == pytest.approx(0.05)  # three of four right at a confidence of 0.8
    assert measures["brier"] == pytest.approx((3 * (0.2**2 + 0.2**2) + (0.8**2 + 0.8**2)) / 4)
    assert measures["nll"] == pytest.approx(-(3 * np.log(0.8) + np.log(0.2)) / 4)
    assert measures["bins"] == [[4, pytest.approx(0.8), 0.75]]
