"""Random splits by speaker and by utterance, and leakage between splits."""

import itertools

import numpy
import pandas
import pytest

from emokit.data.splits import draw
from emokit.data.splits.draw import SplitSettings, by_group, draw_utterances, leakage
from emokit.errors import UsageError

LABELS = ("calm", "joyful", "tense")  # not of the default set


def corpus(num_speakers: int, seed: int = 0) -> pandas.DataFrame:
    """Speakers with different numbers of utterances and shares of three labels."""
    random = numpy.random.default_rng(seed)
    rows = [
        {"speaker": f"{speaker:02}", "label": label, "split": None}
        for speaker in range(num_speakers)
        for label in LABELS
        for _ in range(random.integers(1, 12))
    ]
    return pandas.DataFrame(rows)


def speakers_of(table: pandas.DataFrame, splits: pandas.Series) -> dict[str, set[str]]:
    return {name: set(table["speaker"][splits == name]) for name in ("train", "dev", "test")}


def gap(table: pandas.DataFrame, groups: list[set[str]]) -> float:
    """Sum of squared differences between the label shares of groups of speakers and of the corpus, computed in loops."""
    total = 0.0
    for speakers in groups:
        rows = table[table["speaker"].isin(speakers)]
        for label in LABELS:
            total += ((rows["label"] == label).mean() - (table["label"] == label).mean()) ** 2
    return total


def test_each_speaker_is_in_one_split_and_the_shares_are_met() -> None:
    table = corpus(10)
    splits = speakers_of(table, by_group(table, "speaker", "emodb", SplitSettings()))
    assert {name: len(speakers) for name, speakers in splits.items()} == {"train": 6, "dev": 2, "test": 2}
    assert set.union(*splits.values()) == set(table["speaker"])
    assert all(a.isdisjoint(b) for a, b in itertools.combinations(splits.values(), 2))


@pytest.mark.parametrize("seed", range(3))
def test_no_assignment_of_speakers_is_closer_to_the_label_shares_of_the_corpus(seed: int) -> None:
    table = corpus(5, seed)
    splits = speakers_of(table, by_group(table, "speaker", "emodb", SplitSettings()))
    gaps = [
        gap(table, [{a}, {b}, set(table["speaker"]) - {a, b}])
        for a, b in itertools.permutations(splits["train"] | splits["dev"] | splits["test"], 2)
    ]
    assert gap(table, list(splits.values())) == pytest.approx(min(gaps), abs=1e-12)


def test_splits_by_speaker_do_not_depend_on_the_order_of_the_rows() -> None:
    table = corpus(10)
    shuffled = table.sample(frac=1, random_state=1)
    first, second = (by_group(t, "speaker", "emodb", SplitSettings()) for t in (table, shuffled))
    assert speakers_of(table, first) == speakers_of(shuffled, second)
    pandas.testing.assert_series_equal(first, second.sort_index())


def test_the_seed_decides_among_equally_good_assignments() -> None:
    alike = pandas.DataFrame([{"speaker": f"{n:02}", "label": label} for n in range(10) for label in ("angry", "sad")])
    drawn = [speakers_of(alike, by_group(alike, "speaker", "x", SplitSettings(seed=seed))) for seed in (0, 0, 1, 2)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2] != drawn[3]


def test_a_corpus_of_two_speakers_is_refused() -> None:
    with pytest.raises(UsageError) as error:
        by_group(corpus(2), "speaker", "tess", SplitSettings())
    assert str(error.value) == (
        "tess has 2 speakers (00 and 01), and train, dev and test without a shared speaker need 3; "
        "put it into one split with --split tess=train (or dev, or test)."
    )


def test_a_corpus_of_one_speaker_is_refused_in_the_singular() -> None:
    with pytest.raises(UsageError, match=r"^ravdess has 1 speaker \(00\), and train, dev and test"):
        by_group(corpus(1), "speaker", "ravdess", SplitSettings())


def test_shares_that_leave_no_speaker_for_train_are_refused() -> None:
    with pytest.raises(UsageError) as error:
        by_group(corpus(4), "speaker", "savee", SplitSettings(dev_share=0.5, test_share=0.5))
    assert str(error.value) == (
        "savee has 4 speakers, and 2 for dev and 2 for test leave none for train; lower dev_share or test_share."
    )


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"seed": -1}, "the command has seed = -1, but it should be greater than or equal to 0."),
        ({"dev_share": 0}, "the command has dev_share = 0, but it should be greater than 0."),
        ({"test_share": 1.5}, "the command has test_share = 1.5, but it should be less than 1."),
    ],
)
def test_a_seed_or_share_out_of_range_is_refused(values: dict[str, float], sentence: str) -> None:
    with pytest.raises(UsageError) as error:
        SplitSettings.make(dict(values), "the command")
    assert str(error.value) == sentence


def test_a_share_of_each_label_is_drawn_in_any_order_of_the_rows() -> None:
    table = pandas.DataFrame(
        [
            {"utterance_id": f"x/{label}{n}", "label": label}
            for label, number in (("angry", 20), ("sad", 2), ("fear", 1))
            for n in range(number)
        ]
    )
    drawn = table.loc[draw_utterances(table, 0.2, seed=0)]
    assert drawn["label"].value_counts().to_dict() == {"angry": 4, "sad": 1}
    shuffled = table.sample(frac=1, random_state=1)
    assert set(shuffled.loc[draw_utterances(shuffled, 0.2, seed=0), "utterance_id"]) == set(drawn["utterance_id"])
    assert set(draw_utterances(table, 0.2, seed=1)) != set(drawn.index)


def test_leakage_between_splits_is_counted() -> None:
    columns = ["corpus", "split", "speaker", "sentence", "text", "recording"]
    rows = [
        ("emodb", "train", "03", "a01", "Hello.", "r1"),
        ("emodb", "train", "08", "a02", "Bye.", "r2"),
        (
            "emodb",
            "dev",
            "03",
            "a01",
            " hello. ",
            "r3",
        ),  # shares a speaker, a sentence and, up to case and spaces, a text with train
        ("emodb", "test", "09", "a02", None, "r3"),  # shares a sentence with train and a recording with dev
        ("savee", "test", "03", "a01", None, None),  # speaker 03 and sentence a01 of another corpus
        ("meld", "train", "Ross", None, "Hi!", None),
        # Shares a speaker and a text with train; unknown sentences are not equal.
        ("meld", "test", "Ross", None, "HI!", None),
    ]
    assert leakage(pandas.DataFrame(rows, columns=columns)) == {
        "speakers": {"train-dev": 1, "train-test": 1, "dev-test": 0},
        "sentences": {"train-dev": 1, "train-test": 1, "dev-test": 0},
        "texts": {"train-dev": 1, "train-test": 1, "dev-test": 0},
        "recordings": {"train-dev": 0, "train-test": 0, "dev-test": 1},
    }


def test_any_column_can_be_kept_apart_and_a_row_without_a_value_is_a_group_of_its_own() -> None:
    rows = [(f"x/{n}", None if n % 3 == 0 else f"d{n % 7}", "calm" if n % 2 else "tense") for n in range(60)]
    table = pandas.DataFrame(rows, columns=["utterance_id", "dialogue", "label"]).astype({"dialogue": "string"})
    splits = by_group(table, "dialogue", "calls", SplitSettings())
    assert table.assign(split=splits).groupby("dialogue")["split"].nunique().tolist() == [1] * 7
    assert splits[table["dialogue"].isna()].nunique() == 3
    with pytest.raises(UsageError) as error:
        by_group(table.assign(dialogue=pandas.NA), "dialogue", "calls", SplitSettings())
    assert str(error.value) == (
        "calls names no dialogue of its utterances, so no dialogue can be held out; name another --split."
    )


def test_very_many_groups_are_drawn_in_few_assignments(monkeypatch: pytest.MonkeyPatch) -> None:
    table = pandas.DataFrame({"sentence": [f"{n}" for n in range(1000)], "label": ["calm", "tense"] * 500})
    every = by_group(table, "sentence", "calls", SplitSettings())
    monkeypatch.setattr(draw, "MAX_DRAWN", 1000)
    first = by_group(table, "sentence", "calls", SplitSettings())
    assert first.value_counts().to_dict() == every.value_counts().to_dict() == {"train": 600, "dev": 200, "test": 200}
    assert first.tolist() != every.tolist()
