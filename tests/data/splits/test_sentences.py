"""What the sentence alone says about the label, and splits that share none."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.naive_bayes import CategoricalNB

from emokit.data.catalogue import read_catalogue, with_roots
from emokit.data.ledger import Ledger
from emokit.data.plan import Plan
from emokit.data.prepare import prepare
from emokit.data.sources.rows import labelled, read_source, without_audio
from emokit.data.splits.draw import SplitSettings, by_group
from emokit.data.splits.sentences import (
    by_sentence,
    by_speaker_and_sentence,
    label_by_sentence,
    predicts,
    remark,
    sentences_of,
)
from emokit.errors import UsageError

SPLITS = ("train", "dev", "test")
LABELS = ("calm", "joyful", "tense")  # not of the default set


def acted(of_label: bool, num_speakers: int = 6, num_sentences: int = 9) -> pandas.DataFrame:
    """Each speaker says each sentence: with every label, or with the one label that the sentence belongs to."""
    rows = [
        {"speaker": f"s{speaker}", "sentence": f"{sentence:02}", "label": label}
        for speaker, sentence, (number, label) in itertools.product(
            range(num_speakers), range(num_sentences), enumerate(LABELS)
        )
        if not of_label or sentence % 3 == number
    ]
    table = pandas.DataFrame(rows).assign(text=None)
    split = table["speaker"].map(lambda name: {"s4": "dev", "s5": "test"}.get(name, "train"))
    ids = [f"x/{n:03}" for n in range(len(table))]
    return table.assign(split=split, utterance_id=ids).astype({"text": "string"})


def test_a_sentence_is_its_id_or_its_text_without_case_and_outer_space() -> None:
    rows = [("a01", "Hello."), (None, " Hello. "), (None, "HELLO."), (None, None)]
    table = pandas.DataFrame(rows, columns=["sentence", "text"]).astype("string")
    assert sentences_of(table).tolist() == ["a01", "hello.", "hello.", pandas.NA]


def test_sentences_of_one_label_predict_it_and_those_of_all_labels_do_not() -> None:
    scores = label_by_sentence(acted(of_label=True))
    one_label = {"uar_of_one_label": pytest.approx(1 / 3), "accuracy_of_one_label": pytest.approx(1 / 3)}
    assert scores == {
        split: {"utterances": 9, "repeated": 9, "uar": 1, "accuracy": 1, **one_label} for split in ("dev", "test")
    }
    assert remark(scores, "zoo") == (
        "what is said predicts the label: the sentence alone has a UAR of 100.0 % on test, one label for all 33.3 %; "
        "--split zoo=sentence keeps sentences apart"
    )
    nothing = label_by_sentence(acted(of_label=False))
    expected = {
        "utterances": 27,
        "repeated": 27,
        "uar": pytest.approx(1 / 3),
        "accuracy": pytest.approx(1 / 3),
        **one_label,
    }
    assert nothing == dict.fromkeys(("dev", "test"), expected)
    assert remark(nothing, "zoo") is None


@pytest.mark.parametrize("seed", range(3))
def test_the_scores_are_those_of_scikit_learns_classifiers(seed: int) -> None:
    random = numpy.random.default_rng(seed)
    label = random.choice(LABELS, 600, p=[0.5, 0.3, 0.2])
    # Sentences 0 to 9 of every label, 10 to 19 of calm, 20 to 29 of joyful.
    start = numpy.select([label == "calm", label == "joyful"], [10, 20], 0)
    number = numpy.where(random.random(600) < 0.5, random.integers(0, 10, 600), start + random.integers(0, 10, 600))
    split = numpy.where(numpy.arange(600) < 400, "train", "test")
    table = pandas.DataFrame({"sentence": number.astype(str), "text": None, "label": label, "split": split})
    scores = label_by_sentence(table)["test"]
    train, test = split == "train", split == "test"
    # Naive Bayes on a single categorical feature, without smoothing, gives the most frequent label of each sentence.
    model = CategoricalNB(alpha=1e-9, force_alpha=True, min_categories=30).fit(number[train, None], label[train])
    majority = DummyClassifier(strategy="most_frequent").fit(number[train, None], label[train])
    predicted, one_label = model.predict(number[test, None]), majority.predict(number[test, None])
    assert scores["accuracy"] == pytest.approx(accuracy_score(label[test], predicted))
    assert scores["uar"] == pytest.approx(balanced_accuracy_score(label[test], predicted))
    assert scores["accuracy_of_one_label"] == pytest.approx(accuracy_score(label[test], one_label))
    assert scores["uar_of_one_label"] == pytest.approx(balanced_accuracy_score(label[test], one_label))
    assert predicts(scores)


def test_a_sentence_that_train_lacks_gets_the_most_frequent_label_and_texts_that_never_repeat_have_no_scores() -> None:
    rows = [
        ("train", "calm", "Hi."), ("train", "calm", "So."), ("train", "tense", "No!"), ("train", "tense", "no!"),
        ("train", "calm", "no!"), ("dev", "tense", "NO!"), ("dev", "calm", "Well."), ("dev", "tense", "What?"),
        ("test", "calm", "Ah."), ("test", "calm", None),
    ]  # fmt: skip
    table = pandas.DataFrame(rows, columns=["split", "label", "text"]).assign(sentence=None).astype("string")
    assert label_by_sentence(table) == {
        "dev": {
            "utterances": 3, "repeated": 1, "uar": 0.75, "uar_of_one_label": 0.5, "accuracy": pytest.approx(2 / 3),
            "accuracy_of_one_label": pytest.approx(1 / 3),
        }
    }  # fmt: skip
    assert label_by_sentence(table[table["split"] != "train"]) == {}
    assert label_by_sentence(table.assign(text=pandas.NA)) == {}


@pytest.mark.parametrize(
    ("uar", "accuracy", "utterances", "is_predicted"),
    [(0.45, 0.5, 100, True), (0.42, 0.5, 100, False), (0.9, 0.42, 100, False), (0.45, 0.5, 9, False)],
)
def test_chance_is_not_taken_for_prediction(uar: float, accuracy: float, utterances: int, is_predicted: bool) -> None:
    chance = {"uar_of_one_label": 1 / 3, "accuracy_of_one_label": 1 / 3}
    scores = {"uar": uar, "accuracy": accuracy, "utterances": utterances, **chance}
    assert predicts(scores) == is_predicted
    assert (remark({"dev": scores}, "x") is not None) == is_predicted


def test_no_sentence_is_in_two_splits_and_speakers_are() -> None:
    table = acted(of_label=True)
    table = table.assign(split=by_sentence(table, "zoo", SplitSettings()))
    assert table.groupby("sentence")["split"].nunique().max() == 1
    assert table.groupby("split")["speaker"].nunique().to_dict() == {"dev": 6, "test": 6, "train": 6}
    assert table.groupby("split")["sentence"].nunique().to_dict() == {"dev": 2, "test": 2, "train": 5}
    # Without ids, equal texts are one sentence.
    texts = table.assign(sentence=pandas.NA, text=["Hi! " if n == "00" else f"T{n}" for n in table["sentence"]])
    assert texts.groupby(by_sentence(texts, "zoo", SplitSettings()))["text"].nunique().sum() == 9


def test_neither_a_speaker_nor_a_sentence_is_in_two_splits_and_what_crosses_has_none() -> None:
    table = acted(of_label=False)
    table = table.assign(split=by_speaker_and_sentence(table, "zoo", SplitSettings()))
    used = table[table["split"].notna()]
    assert used.groupby("speaker")["split"].nunique().max() == used.groupby("sentence")["split"].nunique().max() == 1
    # 4 of 6 speakers with 5 of 9 sentences are in train, and 1 with 2 in dev and in test.
    assert used["split"].value_counts().to_dict() == {"train": 3 * 20, "dev": 3 * 2, "test": 3 * 2}


def test_sentences_of_the_speakers_of_one_split_stay_with_them() -> None:
    rows = [(f"s{n % 6}", f"only {n}", LABELS[n % 3]) for n in range(60)]
    rows += [(f"s{n}", "Okay.", "calm") for n in range(6)]
    table = pandas.DataFrame(rows, columns=["speaker", "text", "label"]).assign(sentence=pandas.NA)
    table = table.assign(utterance_id=[f"x/{n}" for n in range(66)]).astype("string")
    split = by_speaker_and_sentence(table, "zoo", SplitSettings())
    assert split[:60].notna().all()
    assert set(split[60:].dropna()) == {"train"}
    assert split[60:].notna().sum() == 4


@pytest.mark.parametrize("split", [by_sentence, by_speaker_and_sentence])
def test_two_sentences_are_too_few(split: Callable[..., pandas.Series]) -> None:
    with pytest.raises(UsageError) as error:
        split(acted(of_label=False, num_sentences=2), "ravdess", SplitSettings())
    assert str(error.value) == (
        "ravdess has 2 sentences (00 and 01), and train, dev and test without a shared sentence need 3; "
        "put it into one split with --split ravdess=train (or dev, or test)."
    )


def test_without_sentences_and_texts_they_cannot_be_kept_apart() -> None:
    with pytest.raises(UsageError) as error:
        by_sentence(acted(of_label=True).assign(sentence=pandas.NA), "calls", SplitSettings())
    assert str(error.value) == (
        "calls names no sentence of its utterances, so no sentence can be held out; name another --split."
    )


def test_a_split_that_is_left_without_utterances_is_refused() -> None:
    # With the same numbers drawn for speakers and sentences, no speaker says the sentence of its split.
    rows = [(f"s{n}", f"t{(n + step) % 3}", LABELS[step]) for n in range(3) for step in (1, 2)]
    table = pandas.DataFrame(rows, columns=["speaker", "sentence", "label"]).assign(text=pandas.NA)
    table = table.assign(utterance_id=[f"x/{n}" for n in range(6)]).astype("string")
    with pytest.raises(UsageError) as error:
        by_speaker_and_sentence(table, "zoo", SplitSettings())
    assert str(error.value) == (
        "zoo has no utterance for train whose speaker and sentence are both in no other split; "
        "choose --split zoo=speaker or zoo=sentence."
    )


def scores_of(name: str, root: Path) -> dict[str, dict[str, Any]]:
    """The scores of a corpus whose speakers are kept apart, from the names of its files."""
    (corpus,) = with_roots(read_catalogue(), [name], [f"{name}={root}"])
    ledger = Ledger()
    rows = list(labelled(corpus, read_source(corpus, ledger), ledger))
    table = without_audio(corpus, rows, ledger.labels)
    return label_by_sentence(table.assign(split=by_group(table, "speaker", name, SplitSettings())))


def test_the_sentences_of_savee_mostly_belong_to_one_emotion(tmp_path: Path) -> None:
    for speaker, code, number in itertools.product(
        ("DC", "JE", "JK", "KL"), ("a", "d", "f", "h", "n", "sa", "su"), range(1, 31)
    ):
        if number <= 15 or code == "n":
            (tmp_path / f"{speaker}_{code}{number:02}.wav").touch()
    for scores in scores_of("savee", tmp_path).values():
        # 12 of 15 sentences, 27 of 30 neutral ones, and three that are neutral more often than anything else.
        assert scores["uar"] == pytest.approx((6 * 12 / 15 + 1) / 7)
        assert predicts(scores)


@pytest.mark.corpus
@pytest.mark.parametrize(("name", "folder", "uar"), [("emodb", "emodb", 1 / 6), ("ravdess", "ravdess-22k", 1 / 7)])
def test_the_sentences_of_emodb_and_ravdess_belong_to_all_emotions(
    corpora: Path, name: str, folder: str, uar: float
) -> None:
    scores = scores_of(name, corpora / folder)
    assert [values["uar"] for values in scores.values()] == [pytest.approx(uar)] * 2
    assert not any(map(predicts, scores.values()))


@pytest.mark.parametrize("policy", ["sentence", "speaker+sentence"])
def test_the_ledger_has_what_crosses_and_that_speakers_are_shared(
    tmp_path: Path, plan: Callable[..., Plan], extractor: Any, write_emodb: Callable[..., list[Path]], policy: str
) -> None:
    write_emodb(tmp_path / "emodb", ("03", "08", "09"), ("a01", "a02", "a04"), "WF")
    prepared = prepare(plan({"emodb": tmp_path / "emodb"}, {"emodb": policy}), tmp_path / "out", extractor)
    entry = prepared.ledger["corpora"]["emodb"]
    leakage = entry["leakage"]
    assert set(leakage["sentences"].values()) == {0}
    assert entry["label_by_sentence"] == {}
    if policy == "sentence":
        assert (len(prepared.table), set(leakage["speakers"].values())) == (18, {3})
        assert "3 of the 3 speakers in test are in train too: expect lower scores for new speakers" in entry["notes"]
    else:
        crossing = entry["dropped"]["its speaker and its sentence are in different splits"]
        assert (len(prepared.table), len(crossing), entry["found"]) == (6, 12, 18)
        assert set(leakage["speakers"].values()) == {0}
        assert not set(crossing) & set(prepared.table["utterance_id"])
