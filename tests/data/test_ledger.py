"""What the ledger enters, and what it makes the table lose."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
import soundfile

from emokit.data.catalogue import read_catalogue
from emokit.data.ledger import Ledger
from emokit.data.prepare import Plan, prepare
from emokit.data.synthesis.corpora import write_corpus
from emokit.errors import DataError, UsageError

Write = Callable[..., list[Path]]
MakePlan = Callable[..., Plan]
COLUMNS = [
    "utterance_id",
    "corpus",
    "path",
    "speaker",
    "sentence",
    "text",
    "label",
    "split",
    "sample_rate",
    "recording",
]


def table(*rows: tuple[object, ...]) -> pandas.DataFrame:
    return pandas.DataFrame(rows, columns=COLUMNS)


def row(name: str, split: str = "train", **facts: object) -> tuple[object, ...]:
    values = {
        "utterance_id": f"emodb/{name}", "corpus": "emodb", "path": f"wav/{name}.wav", "speaker": name[:2],
        "sentence": name[2:5], "text": "Same words.", "label": "angry", "split": split, "sample_rate": 16_000,
        "recording": name,
    }  # fmt: skip
    return tuple((values | facts)[column] for column in COLUMNS)


def test_identical_recordings_are_flagged_with_the_name_of_the_other() -> None:
    ledger = Ledger()
    pairs = table(row("a", recording="x"), row("b", recording="x"), row("c"), row("d", recording=None))
    pairs = pandas.concat([pairs, table(row("e", recording=None))])
    assert ledger.flag_identical(pairs) is pairs
    assert ledger.flagged == {"emodb": {"the same recording as another utterance": ["emodb/a", "emodb/b"]}}
    assert ledger.details == {"emodb/a": "the same as emodb/b", "emodb/b": "the same as emodb/a"}


def test_identical_recordings_with_different_labels_are_told_apart() -> None:
    ledger = Ledger()
    ledger.flag_identical(table(row("a", recording="x"), row("b", recording="x", label="sad")))
    reason = "the same recording as another utterance, which bears another label"
    assert ledger.flagged == {"emodb": {reason: ["emodb/a", "emodb/b"]}}


def test_what_train_repeats_of_dev_or_test_is_dropped_from_train_alone() -> None:
    ledger = Ledger()
    before = table(
        row("a", recording="x"),
        row("b", "dev", recording="x"),
        row("c", "test", recording="x"),
        row("d"),
        row("e", corpus="meld", text=" Hello THERE "),  # with a clip of its own, and yet the same words
        row("f", "test", corpus="goemotions", path=None, recording=None, text="hello there"),
        row("g", corpus="meld", path=None, recording=None, text="Same words."),  # only actors say them in dev
        row("h", corpus="meld", path=None, recording=None, text=None),
        row("i", "dev", corpus="meld", path=None, recording=None, text=None),
        row("j", corpus="meld", recording="x", text="hello there"),  # both, and entered once
    )
    after = ledger.drop_leaks(before, by_text=("meld", "goemotions"))
    assert [name[-1] for name in after["utterance_id"]] == list("bcdfghi")
    assert list(after.index) == list(range(7))
    assert ledger.dropped == {
        "emodb": {"the same recording as in dev or test": ["emodb/a"]},
        "meld": {"the same recording as in dev or test": ["emodb/j"], "the same text as in dev or test": ["emodb/e"]},
    }


def test_sample_rates_that_few_have_are_flagged() -> None:
    ledger = Ledger()
    rows = [row(f"{n:02}a01") for n in range(40)] + [row("99a01", sample_rate=96_000), row("98a01", sample_rate=None)]
    ledger.flag_uncommon_rates("emodb", table(*rows))
    assert ledger.flagged == {"emodb": {"sample rate 96000 Hz, unlike the rest of the corpus": ["emodb/99a01"]}}


def test_a_flag_that_tells_of_a_repair_is_one() -> None:
    ledger = Ledger()
    ledger.flag("meld", "meld/a", "control characters mended")
    ledger.flag("meld", "meld/a", "no clip")
    assert (ledger.repaired, ledger.flagged) == (
        {"meld": {"control characters mended": ["meld/a"]}},
        {"meld": {"no clip": ["meld/a"]}},
    )
    assert ledger.flags_of(pandas.Series(["meld/b", "meld/a"])) == [[], ["no clip", "control characters mended"]]


def test_a_corpus_that_fails_beside_others_is_entered_and_one_alone_is_raised() -> None:
    ledger = Ledger()
    with ledger.failures_of("tess", alone=False):
        raise DataError("tess is not there.")
    assert ledger.failed == {"tess": "tess is not there."}
    with pytest.raises(DataError), ledger.failures_of("tess", alone=True):
        raise DataError("tess is not there.")
    with pytest.raises(UsageError), ledger.failures_of("tess", alone=False):
        raise UsageError("a slip of the user's ends it all.")


def test_a_closed_corpus_says_what_became_of_everything() -> None:
    ledger = Ledger()
    ledger.drop("emodb", "emodb/z", "silent", "9 samples")
    ledger.drop("emodb", "emodb/y", "silent")
    ledger.repair("emodb", "emodb/03a01", "2 channels, averaged")
    rows = table(row("03a01"), row("08a01", "dev"), row("09a01", "test", label="sad"), row("03a02"))
    ledger.close(read_catalogue()["emodb"], rows)
    entry = ledger.as_dict(rows)["corpora"]["emodb"]
    assert (entry["expected"], entry["found"], entry["kept"]) == (535, 6, 4)
    assert entry["dropped"] == {"silent": ["emodb/y", "emodb/z"]}
    assert entry["repaired"] == {"2 channels, averaged": ["emodb/03a01"]}
    assert entry["flagged"] == {}
    assert entry["labels"] == {
        "angry": 3, "disgust": 0, "fear": 0, "happy": 0, "neutral": 0, "sad": 1, "surprise": 0,
    }  # fmt: skip
    assert entry["splits"] == {
        "train": {"utterances": 2, "speakers": ["03"]},
        "dev": {"utterances": 1, "speakers": ["08"]},
        "test": {"utterances": 1, "speakers": ["09"]},
    }
    assert entry["notes"] == ["only 6 of the 535 that the corpus has were found: see that it is whole"]
    assert ledger.as_dict(rows)["details"] == {"emodb/z": "9 samples"}


def test_a_corpus_that_lies_in_one_split_says_why() -> None:
    ledger = Ledger()
    rows = table(*[row(f"{n}") for n in range(1400)])
    ledger.close(read_catalogue()["tess"], rows)
    assert ledger.as_dict(rows)["corpora"]["tess"]["notes"] == [
        "all of it is in train, as its split in datasets.yaml or --split says"
    ]


def test_a_synthesised_corpus_never_passes_for_the_real_one(tmp_path: Path) -> None:
    write_corpus("emodb", tmp_path / "emodb", size=0.05)
    corpus = read_catalogue()["emodb"].model_copy(update={"root": tmp_path / "emodb"})
    ledger, rows = Ledger(), table(row("03a01"))
    ledger.close(corpus, rows)
    entry = ledger.as_dict(rows)["corpora"]["emodb"]
    assert (entry["title"], entry["licence"]) == (f"{corpus.title} (synthesised by emokit)", "made by emokit")
    assert entry["notes"] == []
    (tmp_path / "emodb" / "SYNTHESISED.txt").unlink()
    ledger.close(corpus, rows)
    entry = ledger.as_dict(rows)["corpora"]["emodb"]
    assert (entry["title"], entry["licence"]) == (corpus.title, "free for research")
    assert entry["notes"] == ["only 1 of the 535 that the corpus has were found: see that it is whole"]


def test_comments_have_no_speakers_to_count() -> None:
    ledger = Ledger()
    rows = table(*[row(f"{n}", corpus="goemotions", path=None) for n in range(30_000)])
    ledger.close(read_catalogue()["goemotions"], rows)
    entry = ledger.as_dict(rows)["corpora"]["goemotions"]
    assert entry["splits"]["train"] == {"utterances": 30_000, "speakers": []}


def test_a_corpus_of_clips_of_which_most_are_absent_says_so() -> None:
    ledger = Ledger()
    facts = [{"corpus": "meld", "path": "x.wav" if n < 2 else None, "split": "dev"} for n in range(7_000)]
    rows = table(*[row(f"{n}", **fact) for n, fact in enumerate(facts)])
    ledger.close(read_catalogue()["meld"], rows)
    assert ledger.as_dict(rows)["corpora"]["meld"]["notes"] == [
        "only 2 of its 7000 utterances have sound, the others are text alone"
    ]


def test_damaged_files_are_in_the_ledger_and_the_rest_is_kept(
    tmp_path: Path, write_emodb: Write, plan: MakePlan, extractor: Any
) -> None:
    truncated, silent, stereo, pointer, empty, text, *_ = write_emodb(tmp_path / "emodb", texts=("a01", "a02"))
    truncated.write_bytes(truncated.read_bytes()[:2000])
    soundfile.write(silent, numpy.zeros(3200), 16_000)
    soundfile.write(stereo, numpy.tile([[0.5, 0.25]], (3200, 1)), 16_000)
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    empty.touch()
    empty.write_bytes(b"")
    text.write_text("this is no sound")
    prepared = prepare(plan({"emodb": tmp_path / "emodb"}), tmp_path / "out", extractor)
    entry = prepared.ledger["corpora"]["emodb"]
    assert (entry["found"], entry["kept"]) == (18, 13)
    assert entry["dropped"] == {
        "a Git LFS pointer, not sound": [f"emodb/{pointer.stem}"],
        "empty": [f"emodb/{empty.stem}"],
        "silent": [f"emodb/{silent.stem}"],
        "truncated": [f"emodb/{truncated.stem}"],
        "undecodable": [f"emodb/{text.stem}"],
    }
    assert entry["repaired"] == {"2 channels, averaged": [f"emodb/{stereo.stem}"]}
    details = prepared.ledger["details"]
    assert details[f"emodb/{truncated.stem}"] == "its header promises 6400 bytes of sound, 1956 are there"
    row = prepared.table.set_index("utterance_id").loc[f"emodb/{stereo.stem}"]
    assert list(row["flags"]) == ["2 channels, averaged"]
    assert (row["duration_seconds"], row["sample_rate"]) == (0.2, 16_000)
    # What was of no use is not read again either.
    assert extractor.num_calls == 13
    assert prepare(plan({"emodb": tmp_path / "emodb"}), tmp_path / "out", extractor).ledger == prepared.ledger
    assert extractor.num_calls == 13


def test_an_identical_pair_in_train_is_flagged_and_kept(
    tmp_path: Path, write_emodb: Write, plan: MakePlan, extractor: Any
) -> None:
    one, _, other, *_ = write_emodb(tmp_path / "emodb")
    shutil.copy(one, other)
    prepared = prepare(plan({"emodb": tmp_path / "emodb"}, {"emodb": "train"}), tmp_path / "out", extractor)
    entry = prepared.ledger["corpora"]["emodb"]
    reason = "the same recording as another utterance, which bears another label"
    assert (entry["kept"], entry["dropped"]) == (9, {})
    assert entry["flagged"] == {reason: sorted(f"emodb/{path.stem}" for path in (one, other))}


def test_a_recording_of_dev_or_test_is_dropped_from_train(
    tmp_path: Path, write_emodb: Write, plan: MakePlan, extractor: Any
) -> None:
    paths = write_emodb(tmp_path / "emodb")
    asked = plan({"emodb": tmp_path / "emodb"})
    splits = prepare(asked, tmp_path / "before", extractor).table.set_index("utterance_id")["split"]
    by_split = {splits[f"emodb/{path.stem}"]: path for path in paths}
    shutil.copy(by_split["test"], by_split["train"])
    prepared = prepare(asked, tmp_path / "out", extractor)
    dropped = prepared.ledger["corpora"]["emodb"]["dropped"]
    assert dropped == {"the same recording as in dev or test": [f"emodb/{by_split['train'].stem}"]}
    assert prepared.ledger["corpora"]["emodb"]["kept"] == len(prepared.table) == 8
    assert prepared.ledger["leakage"]["recordings"] == {"train-dev": 0, "train-test": 0, "dev-test": 0}
    assert prepared.ledger["leakage"]["texts"] == {"train-dev": 1, "train-test": 1, "dev-test": 1}


def test_rows_of_text_alone_stand_beside_sound(
    tmp_path: Path, write_emodb: Write, write_meld_text: Callable[..., None], plan: MakePlan, extractor: Any
) -> None:
    write_emodb(tmp_path / "emodb")
    write_meld_text(tmp_path / "meld", {"train": ["One.", "two."], "dev": ["Two."], "test": ["Three."]})
    roots = {"emodb": tmp_path / "emodb", "meld": tmp_path / "meld"}
    prepared = prepare(plan(roots), tmp_path / "out", extractor)
    text = prepared.table[prepared.table["corpus"] == "meld"]
    # "two." of train repeats "Two." of dev.
    assert list(text["utterance_id"]) == ["meld/dev/dia0_utt0", "meld/test/dia0_utt0", "meld/train/dia0_utt0"]
    assert text[["path", "duration_seconds", "sample_rate"]].isna().all(axis=None)
    assert list(text["turn"]) == [0, 0, 0]
    assert prepared.ledger["leakage"]["speakers"] == {"train-dev": 1, "train-test": 1, "dev-test": 1}
    store = prepared.features(plan(roots).features)
    assert set(store) == set(prepared.table["utterance_id"][prepared.table["corpus"] == "emodb"])
