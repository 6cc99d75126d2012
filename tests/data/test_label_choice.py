"""The label set of a prepared folder and the label of each raw label, as --labels and --map choose them."""

import pytest

from emokit.data.catalogue import Corpus, read_catalogue
from emokit.data.label_choice import LabelChoice, doubtful, label_of, label_shares, raw_labels, soft_label
from emokit.data.ledger import Ledger
from emokit.data.sources.rows import TIED, labelled, without_audio
from emokit.data.utterance import Utterance
from emokit.errors import UsageError
from emokit.labels import DEFAULT_LABELS, LabelSet

EMODB = read_catalogue()["emodb"]
MOODS = LabelSet(["calm", "cross", "tired"])
OWN = EMODB.model_copy(update={"name": "calls", "labels": {}, "keeps_raw_labels": True})


def utterances(*labels: str, corpus: str = "calls") -> list[Utterance]:
    return [Utterance(f"{corpus}/{number}", corpus, None, "s", label) for number, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("corpora", "labels", "expected"),
    [
        ((EMODB,), None, DEFAULT_LABELS),
        ((EMODB, OWN), None, DEFAULT_LABELS),
        ((OWN,), None, None),
        ((OWN, EMODB), "all", None),
        ((OWN,), "joy, love", ("joy", "love")),
    ],
)
def test_the_label_set_is_the_given_one_or_the_default_or_what_occurs(
    corpora: tuple[Corpus, ...], labels: str | None, expected: tuple[str, ...] | None
) -> None:
    assert LabelChoice.read(corpora, labels).labels == expected


def test_the_labels_that_occur_are_taken_in_alphabetical_order() -> None:
    choice = LabelChoice.read([OWN], maps=["rage=anger", "?=null"])
    corpus = choice.applied(OWN)
    assert choice.label_set([corpus], {"calls": utterances("rage", "joy", "?")}) == ("anger", "joy")
    assert label_of(corpus, "rage") == "anger"
    assert label_of(corpus, "joy") == "joy"
    assert label_of(corpus, "?") is None


def test_a_raw_label_that_a_given_label_set_names_is_its_own_label() -> None:
    corpus = LabelChoice.read([EMODB], "angry,boredom,sad").applied(EMODB)
    assert (corpus.labels["boredom"], corpus.labels["anger"], corpus.labels["sadness"]) == ("boredom", "angry", "sad")
    every = LabelChoice.read([EMODB], "all").applied(EMODB)
    assert every.labels == {raw: raw for raw in EMODB.labels}


def test_without_labels_the_catalogues_map_decides() -> None:
    assert LabelChoice.read([EMODB]).applied(EMODB).labels == EMODB.labels


def test_several_raw_labels_are_split_only_where_the_corpus_has_a_label_map() -> None:
    (utterance,) = utterances("happy+sad")
    assert raw_labels(EMODB, utterance) == ["happy", "sad"]
    assert raw_labels(OWN, utterance) == ["happy+sad"]


@pytest.mark.parametrize(
    ("maps", "sentence"),
    [
        (["joy"], "--map joy was given where RAW=LABEL was expected, such as --map joy=happy."),
        (["joy=a", "joy=b"], "--map was given twice for joy; give it once."),
    ],
)
def test_maps_of_another_form_are_refused(maps: list[str], sentence: str) -> None:
    with pytest.raises(UsageError) as error:
        LabelChoice.read([OWN], maps=maps)
    assert str(error.value) == sentence


def test_a_map_of_a_raw_label_that_does_not_occur_is_refused() -> None:
    choice = LabelChoice.read([OWN], maps=["joey=happy"])
    with pytest.raises(UsageError) as error:
        choice.label_set([choice.applied(OWN)], {"calls": utterances("joy", "anger")})
    assert str(error.value) == "--map joey=happy maps nothing: the raw labels are anger, joy; name one of them."


def test_fewer_than_two_labels_are_refused() -> None:
    with pytest.raises(UsageError) as error:
        LabelChoice.read([OWN]).label_set([OWN], {"calls": utterances("joy", "joy")})
    assert str(error.value) == (
        "Found the labels joy where two or more were expected; "
        "name the column of the labels with --columns label=NAME, or the label set with --labels."
    )
    with pytest.raises(UsageError) as error:
        LabelChoice.read([OWN]).label_set([OWN], {"calls": utterances("joy")}, {"no usable utterance_id": 29})
    assert str(error.value).startswith(
        "Found the labels joy where two or more were expected, and 29 dropped (no usable utterance_id); name the column"
    )


def test_an_entry_of_own_data_that_maps_what_does_not_occur_is_refused() -> None:
    corpus = OWN.model_copy(update={"labels": {"joyy": "happy"}})
    with pytest.raises(UsageError) as error:
        LabelChoice.read([corpus]).label_set([corpus], {"calls": utterances("joy", "anger")})
    assert str(error.value) == (
        "The labels of calls map joyy, which does not occur: its raw labels are anger, joy; "
        "correct its entry in the file of --datasets."
    )


def voted(name: str = "a", **votes: float) -> Utterance:
    return Utterance(f"calls/{name}", "calls", None, name, max(votes, key=lambda raw: votes[raw]), votes=votes)


def test_votes_become_shares_of_the_mapped_labels_without_those_that_are_left_out() -> None:
    corpus = LabelChoice.read([OWN], maps=["rage=anger", "?=null"]).applied(OWN)
    utterance = voted(rage=2, anger=1, joy=1, **{"?": 4})
    assert label_shares(corpus, utterance) == {"anger": 0.75, "joy": 0.25}
    assert soft_label(corpus, utterance, LabelSet(["joy", "fear", "anger"])) == [0.25, 0, 0.75]
    assert label_shares(corpus, voted(**{"?": 1})) == {}


def test_an_utterance_without_votes_has_no_soft_label() -> None:
    (utterance,) = utterances("joy")
    assert label_shares(OWN, utterance) == {"joy": 1}
    assert soft_label(OWN, utterance, LabelSet(["joy", "fear"])) is None


def test_the_label_is_the_one_with_the_most_votes_and_a_tie_is_flagged() -> None:
    ledger, calls = Ledger(MOODS), LabelChoice.read([OWN], maps=["?=null"]).applied(OWN)
    utterances = [voted("a", tired=2, calm=1), voted("b", tired=1, cross=1, **{"?": 3}), voted("c", **{"?": 2})]
    rows = list(labelled(calls, utterances, ledger))
    assert [(utterance.utterance_id, label) for utterance, label in rows] == [
        ("calls/a", "tired"),
        ("calls/b", "cross"),
    ]
    assert ledger.flagged == {"calls": {TIED: ["calls/b"]}}
    assert ledger.dropped == {"calls": {"label ? is left out": ["calls/c"]}}
    table = without_audio(calls, rows, MOODS)
    assert table["soft_label"].tolist() == [[1 / 3, 0, 2 / 3], [0, 0.5, 0.5]]


def test_a_raw_label_that_the_map_of_a_corpus_lacks_is_left_to_the_error_that_names_it() -> None:
    choice = LabelChoice.read([EMODB])
    assert choice.label_set([EMODB], {"emodb": utterances("anger", "gloom", corpus="emodb")}) == DEFAULT_LABELS


def test_one_label_in_folders_is_no_matter_of_columns() -> None:
    folders = OWN.model_copy(update={"reader": "class_folders"})
    with pytest.raises(UsageError) as error:
        LabelChoice.read([folders]).label_set([folders], {"calls": utterances("joy")})
    assert str(error.value) == (
        "Found the labels joy where two or more were expected; name a folder that has one for each label, "
        "or the label set with --labels."
    )


def test_labels_that_doubtful_only_are_named() -> None:
    assert doubtful(LabelSet(["Happy", "happy", "sad"])) == [
        "the labels Happy and happy differ only in upper and lower case and are two labels: merge them with --map Happy=happy"
    ]
    assert doubtful(DEFAULT_LABELS) == []


def test_a_label_that_looks_like_a_missing_value_is_named() -> None:
    assert doubtful(LabelSet(["joy", "NaN"])) == [
        "the label NaN looks like a missing value and is a label: leave its utterances out with --map NaN=null"
    ]


def test_labels_that_look_alike_are_named() -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    assert doubtful(LabelSet([composed, decomposed, "sad"])) == [
        "the labels 'caf\\xe9' and 'cafe\\u0301' look alike and are two labels: write them with the same characters"
    ]
    (sentence,) = doubtful(LabelSet(["joy", "jo\u200by"]))
    assert sentence.startswith("the labels 'joy' and 'jo\\u200by' look alike")
