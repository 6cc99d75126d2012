"""The entries of the ledger, and the rows that it drops from the table."""

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
import soundfile

from emokit.data.audio_io.faults import (
    EMPTY,
    LFS_POINTER,
    SILENT,
    TRUNCATED,
    UNDECODABLE,
    BadAudio,
)
from emokit.data.audio_io.read import read_audio
from emokit.data.catalogue import own_corpus, read_catalogue
from emokit.data.ledger import Ledger
from emokit.data.plan import Plan
from emokit.data.prepare import prepare
from emokit.data.synthesis.corpora import write_corpus
from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet

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


def test_identical_recordings_with_different_labels_have_their_own_reason() -> None:
    ledger = Ledger()
    ledger.flag_identical(table(row("a", recording="x"), row("b", recording="x", label="sad")))
    reason = "the same recording as another utterance, which has another label"
    assert ledger.flagged == {"emodb": {reason: ["emodb/a", "emodb/b"]}}


def test_recordings_and_texts_of_dev_or_test_are_dropped_from_train_only() -> None:
    ledger = Ledger()
    before = table(
        row("a", recording="x"),
        row("b", "dev", recording="x"),
        row("c", "test", recording="x"),
        row("d"),
        row("e", corpus="meld", text=" Hello THERE "),  # a different clip with the same text
        row("f", "test", corpus="goemotions", path=None, recording=None, text="hello there"),
        row("g", corpus="meld", path=None, recording=None, text="Same words."),  # in dev only in an acted corpus
        row("h", corpus="meld", path=None, recording=None, text=None),
        row("i", "dev", corpus="meld", path=None, recording=None, text=None),
        row("j", corpus="meld", recording="x", text="hello there"),  # both, and recorded once
    )
    after = ledger.drop_leaks(before, by_text=("meld", "goemotions"))
    assert [name[-1] for name in after["utterance_id"]] == list("bcdfghi")
    assert list(after.index) == list(range(7))
    assert ledger.dropped == {
        "emodb": {"the same recording as in dev or test": ["emodb/a"]},
        "meld": {"the same recording as in dev or test": ["emodb/j"], "the same text as in dev or test": ["emodb/e"]},
    }


def test_uncommon_sample_rates_are_flagged() -> None:
    ledger = Ledger()
    rows = [row(f"{n:02}a01") for n in range(40)] + [row("99a01", sample_rate=96_000), row("98a01", sample_rate=None)]
    ledger.flag_uncommon_rates("emodb", table(*rows))
    assert ledger.flagged == {"emodb": {"sample rate 96000 Hz, unlike the rest of the corpus": ["emodb/99a01"]}}


def test_a_flag_that_describes_a_repair_is_recorded_as_one() -> None:
    ledger = Ledger()
    ledger.flag("meld", "meld/a", "control characters repaired")
    ledger.flag("meld", "meld/a", "no clip")
    assert (ledger.repaired, ledger.flagged) == (
        {"meld": {"control characters repaired": ["meld/a"]}},
        {"meld": {"no clip": ["meld/a"]}},
    )
    assert ledger.flags_of(pandas.Series(["meld/b", "meld/a"])) == [[], ["no clip", "control characters repaired"]]


def test_the_error_of_a_corpus_is_recorded_among_others_and_raised_if_it_is_the_only_one() -> None:
    ledger = Ledger()
    with ledger.failures_of("tess", alone=False):
        raise DataError("tess is not there.")
    assert ledger.failed == {"tess": "tess is not there."}
    with pytest.raises(DataError), ledger.failures_of("tess", alone=True):
        raise DataError("tess is not there.")
    with pytest.raises(UsageError), ledger.failures_of("tess", alone=False):
        raise UsageError("A user's mistake stops the command.")


def test_the_entry_of_a_corpus_accounts_for_every_utterance() -> None:
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
    assert entry["notes"] == ["only 6 of the 535 utterances of the corpus were found: check that it is complete"]
    assert ledger.as_dict(rows)["details"] == {"emodb/z": "9 samples"}


def test_labels_are_counted_in_the_order_of_the_label_set() -> None:
    ledger = Ledger(LabelSet(["sad", "happy", "angry"]))
    rows = table(row("03a01"), row("03a02", label="sad"), row("03a04"))
    ledger.close(read_catalogue()["emodb"], rows)
    assert list(ledger.as_dict(rows)["corpora"]["emodb"]["labels"].items()) == [("sad", 1), ("happy", 0), ("angry", 2)]


def test_a_corpus_in_one_split_has_a_note() -> None:
    ledger = Ledger()
    rows = table(*[row(f"{n}") for n in range(1400)])
    ledger.close(read_catalogue()["tess"], rows)
    assert ledger.as_dict(rows)["corpora"]["tess"]["notes"] == [
        "all utterances are in train, as set by its split in datasets.yaml or by --split"
    ]


def test_a_synthesised_corpus_is_marked_as_such(tmp_path: Path) -> None:
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
    assert entry["notes"] == ["only 1 of the 535 utterances of the corpus were found: check that it is complete"]


def test_comments_have_no_speakers() -> None:
    ledger = Ledger()
    rows = table(*[row(f"{n}", corpus="goemotions", path=None) for n in range(30_000)])
    ledger.close(read_catalogue()["goemotions"], rows)
    entry = ledger.as_dict(rows)["corpora"]["goemotions"]
    assert entry["splits"]["train"] == {"utterances": 30_000, "speakers": []}


def test_several_sample_rates_of_own_data_are_noted() -> None:
    ledger = Ledger()
    rows = table(*[row(f"{n}", corpus="calls", sample_rate=8_000 if n % 3 else 48_000) for n in range(6)])
    ledger.close(own_corpus("calls", {"reader": "class_folders"}, "calls"), rows)
    assert ledger.as_dict(rows)["corpora"]["calls"]["notes"] == [
        "recordings of 2 sample rates, all are resampled for the features: 8000 Hz (4), 48000 Hz (2)"
    ]


def test_a_corpus_with_few_of_its_clips_has_a_note() -> None:
    ledger = Ledger()
    splits = itertools.cycle(("train", "dev", "test"))
    facts = [{"corpus": "meld", "path": "x.wav" if n < 2 else None, "speaker": f"{n}"} for n in range(7_000)]
    rows = table(*[row(f"{n}", next(splits), **fact) for n, fact in enumerate(facts)])
    ledger.close(read_catalogue()["meld"], rows)
    assert ledger.as_dict(rows)["corpora"]["meld"]["notes"] == [
        "only 2 of its 7000 utterances have audio, the others have only text"
    ]


def test_damaged_files_are_in_the_ledger_and_the_others_in_the_table(
    tmp_path: Path, write_emodb: Write, plan: MakePlan, extractor: Any
) -> None:
    truncated, silent, stereo, pointer, empty, text, *_ = write_emodb(tmp_path / "emodb", texts=("a01", "a02"))
    truncated.write_bytes(truncated.read_bytes()[:2000])
    soundfile.write(silent, numpy.zeros(3200), 16_000)
    soundfile.write(stereo, numpy.linspace(-1, 1, 3200)[:, None] * [[0.5, 0.25]], 16_000)
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    empty.touch()
    empty.write_bytes(b"")
    text.write_text("this is not audio")
    prepared = prepare(plan({"emodb": tmp_path / "emodb"}), tmp_path / "out", extractor)
    entry = prepared.ledger["corpora"]["emodb"]
    assert (entry["found"], entry["kept"]) == (18, 13)
    assert entry["dropped"] == {
        LFS_POINTER: [f"emodb/{pointer.stem}"],
        EMPTY: [f"emodb/{empty.stem}"],
        SILENT: [f"emodb/{silent.stem}"],
        TRUNCATED: [f"emodb/{truncated.stem}"],
        UNDECODABLE: [f"emodb/{text.stem}"],
    }
    assert entry["repaired"] == {"2 channels, averaged": [f"emodb/{stereo.stem}"]}
    details = prepared.ledger["details"]
    with pytest.raises(BadAudio) as bad:
        read_audio(truncated)
    assert details[f"emodb/{truncated.stem}"] == bad.value.detail
    assert ("6400 bytes" in bad.value.detail, "1956" in bad.value.detail) == (True, True)
    row = prepared.table.set_index("utterance_id").loc[f"emodb/{stereo.stem}"]
    assert list(row["flags"]) == ["2 channels, averaged"]
    assert (row["duration_seconds"], row["sample_rate"]) == (0.2, 16_000)
    # Unusable files are not read again either.
    assert extractor.num_calls == 13
    assert prepare(plan({"emodb": tmp_path / "emodb"}), tmp_path / "out", extractor).ledger == prepared.ledger
    assert extractor.num_calls == 13


def test_an_identical_pair_in_train_is_flagged_and_kept(
    tmp_path: Path, write_emodb: Write, plan: MakePlan, extractor: Any
) -> None:
    first, _, second, *_ = write_emodb(tmp_path / "emodb")
    shutil.copy(first, second)
    prepared = prepare(plan({"emodb": tmp_path / "emodb"}, {"emodb": "train"}), tmp_path / "out", extractor)
    entry = prepared.ledger["corpora"]["emodb"]
    reason = "the same recording as another utterance, which has another label"
    assert (entry["kept"], entry["dropped"]) == (9, {})
    assert entry["flagged"] == {reason: sorted(f"emodb/{path.stem}" for path in (first, second))}


def test_a_recording_of_dev_or_test_is_dropped_from_train(
    tmp_path: Path, write_emodb: Write, plan: MakePlan, extractor: Any
) -> None:
    paths = write_emodb(tmp_path / "emodb")
    arguments = plan({"emodb": tmp_path / "emodb"})
    splits = prepare(arguments, tmp_path / "before", extractor).table.set_index("utterance_id")["split"]
    by_split = {splits[f"emodb/{path.stem}"]: path for path in paths}
    shutil.copy(by_split["test"], by_split["train"])
    prepared = prepare(arguments, tmp_path / "out", extractor)
    dropped = prepared.ledger["corpora"]["emodb"]["dropped"]
    assert dropped == {"the same recording as in dev or test": [f"emodb/{by_split['train'].stem}"]}
    assert prepared.ledger["corpora"]["emodb"]["kept"] == len(prepared.table) == 8
    assert prepared.ledger["leakage"]["recordings"] == {"train-dev": 0, "train-test": 0, "dev-test": 0}
    assert prepared.ledger["leakage"]["texts"] == {"train-dev": 1, "train-test": 1, "dev-test": 1}


def test_a_table_can_hold_rows_with_and_without_audio(
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


def test_dev_and_test_rows_without_a_largest_share_are_dropped() -> None:
    ledger, splits = Ledger(LabelSet(["calm", "cross"])), ["train", "dev", "dev", "test"]
    rows = table(*(row(f"{number}", split) for number, split in enumerate(splits)))
    rows["soft_label"] = [[0.5, 0.5], [0.5, 0.5], [0.75, 0.25], None]
    assert list(ledger.drop_ties(rows)["utterance_id"]) == ["emodb/0", "emodb/2", "emodb/3"]
    assert ledger.dropped == {"emodb": {"as many votes for one label as for another, in dev or test": ["emodb/1"]}}
