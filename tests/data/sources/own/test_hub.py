"""Hugging Face data sets as corpora: their columns, splits, labels and recordings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from datasets import Audio, ClassLabel, Features, List, Value

from emokit.data.catalogue import Corpus
from emokit.data.sources.own.hub import OTHER_SPLIT, describe, read, sources, walks
from emokit.data.sources.own.paths import NOT_THERE, OUT_OF_ROOT
from emokit.data.sources.own.table import NO_SPEAKERS
from emokit.data.sources.tree import Skipped
from emokit.data.utterance import Dropped, Remark, Utterance
from emokit.errors import DataError, UsageError

LABEL = ClassLabel(names=["joy", "anger", "fear"])
TEXTS = Features(text=Value("string"), label=LABEL)
Save = Callable[..., Path]


def entries(corpus: Corpus, kind: type) -> list[Any]:
    assert corpus.root is not None
    return [entry for entry in read(corpus.root, corpus.options) if isinstance(entry, kind)]


def test_class_labels_have_their_names_and_splits_are_the_official_ones(save: Save, tmp_path: Path) -> None:
    folder = save(
        tmp_path / "my data", {"text": ["NA", " Hi "], "label": [1, 0]}, TEXTS,
        validation={"text": ["c"], "label": [2]}, test={"text": ["d"], "label": [0]}, unsupervised={"text": ["e"], "label": [-1]},
    )  # fmt: skip
    corpus = describe(None, f"hf:{folder}", {})
    assert (corpus.name, corpus.reader, corpus.root, corpus.split) == ("my_data", "hub", folder, "auto")
    assert (corpus.keeps_raw_labels, corpus.has_speakers, corpus.labels) == (True, False, {})
    utterances = entries(corpus, Utterance)
    assert [(u.utterance_id, u.text, u.raw_label, u.split) for u in utterances] == [
        ("my_data/train/0", "NA", "anger", "train"),
        ("my_data/train/1", " Hi ", "joy", "train"),
        ("my_data/validation/0", "c", "fear", "dev"),
        ("my_data/test/0", "d", "joy", "test"),
    ]
    assert all(u.speaker == u.utterance_id.removeprefix("my_data/") for u in utterances)
    assert entries(corpus, Skipped) == [Skipped("split unsupervised", OTHER_SPLIT)]
    assert [remark.sentence for remark in entries(corpus, Remark)] == [
        "columns: label, text", NO_SPEAKERS, "of its splits, validation counts as dev",
    ]  # fmt: skip
    assert sources(folder, corpus.options) == [folder]


def test_a_data_set_without_splits_has_none(save: Save, tmp_path: Path) -> None:
    folder = save(tmp_path / "data", {"text": ["a", "b"], "label": [0, 1]}, TEXTS)
    assert [u.split for u in entries(describe("calls", str(folder), {}), Utterance)] == [None, None]


def test_rows_that_cannot_be_used_are_dropped_with_the_reason(save: Save, tmp_path: Path) -> None:
    folder = save(tmp_path / "data", {"text": ["a", None, "c", " "], "label": [-1, 0, None, 1]}, TEXTS)
    corpus = describe("calls", str(folder), {})
    with pytest.raises(DataError) as error:
        entries(corpus, Dropped)
    assert str(error.value) == (
        f"hf:{folder}: none of its rows can be used (2 rows: no label); name other columns with --columns."
    )
    folder = save(tmp_path / "other", {"text": ["a", None, "c"], "label": [-1, 0, 1]}, TEXTS)
    assert entries(describe("calls", str(folder), {}), Dropped) == [
        Dropped("train, index 0", "no label"),
        Dropped("train, index 1", "neither a path nor a text"),
    ]


def test_lists_of_labels_and_several_columns_are_votes_and_shares_are_read_back(save: Save, tmp_path: Path) -> None:
    votes = Features(text=Value("string"), labels=List(LABEL))
    folder = save(tmp_path / "votes", {"text": ["a", "b", "c"], "labels": [[1, 0, 1], [2], []]}, votes)
    corpus = describe("calls", str(folder), {"label": "labels"})
    first, second = entries(corpus, Utterance)
    assert (first.raw_label, first.votes) == ("anger", {"anger": 2.0, "joy": 1.0})
    assert (second.raw_label, second.votes) == ("fear", None)
    assert [d.reason for d in entries(corpus, Dropped)] == ["no label"]
    two = Features(text=Value("string"), a=LABEL, b=LABEL)
    folder = save(tmp_path / "annotators", {"text": ["a"], "a": [0], "b": [2]}, two)
    assert entries(describe("calls", str(folder), {"label": "a,b"}), Utterance)[0].votes == {"joy": 1.0, "fear": 1.0}
    soft = Features(text=Value("string"), label=LABEL, soft_label=List(Value("float64")))
    folder = save(tmp_path / "soft", {"text": ["a", "b"], "label": [0, 0], "soft_label": [[0.75, 0.25, 0], None]}, soft)
    assert [u.votes for u in entries(describe("calls", str(folder), {}), Utterance)] == [
        {"joy": 0.75, "anger": 0.25},
        None,
    ]


def test_recordings_in_a_table_are_written_once_below_the_cache(
    save: Save, record: Callable[..., Path], cache: Path, tmp_path: Path
) -> None:
    contents = [record(tmp_path / f"{name}.wav").read_bytes() for name in ("a", "b")]
    audio = Features(audio=Audio(), label=LABEL, speaker=Value("string"))
    values = {
        "audio": [{"bytes": content, "path": f"../x/0{n}.wav"} for n, content in enumerate(contents)],
        "label": [0, 1],
        "speaker": ["03", "08"],
    }
    folder = save(tmp_path / "data", values, audio)
    corpus = describe("calls", str(folder), {})
    assert corpus.root is not None
    assert corpus.root.parent == cache / "hub"
    assert corpus.root.name.startswith("calls-")
    utterances = entries(corpus, Utterance)
    assert [(u.utterance_id, u.speaker) for u in utterances] == [("calls/00", "03"), ("calls/01", "08")]
    assert [(corpus.root / str(u.path)).read_bytes() for u in utterances] == contents
    paths = [corpus.root / str(u.path) for u in utterances]
    assert all(path.parent == corpus.root for path in paths)
    before = [path.stat().st_mtime_ns for path in paths]
    paths[1].write_bytes(b"cut")
    entries(describe("calls", str(folder), {}), Utterance)
    assert paths[0].stat().st_mtime_ns == before[0]
    assert paths[1].read_bytes() == contents[1]
    assert sources(corpus.root, corpus.options) == [folder, corpus.root / "source.json"]
    assert not walks(corpus.options)


def test_texts_before_the_first_recording_do_not_hide_it(
    save: Save, record: Callable[..., Path], cache: Path, tmp_path: Path
) -> None:
    content = record(tmp_path / "a.wav").read_bytes()
    features = Features(audio=Audio(), text=Value("string"), label=LABEL)
    values = {"audio": [None, {"bytes": content, "path": "a.wav"}], "text": ["Hi", None], "label": [0, 1]}
    corpus = describe("calls", str(save(tmp_path / "data", values, features)), {})
    first, second = entries(corpus, Utterance)
    assert (first.path, first.text, second.text) == (None, "Hi", None)
    assert corpus.root is not None
    assert (corpus.root / str(second.path)).read_bytes() == content


@pytest.mark.parametrize("written", [{}, {"file": ["elsewhere/a.wav", "elsewhere/b.wav"]}])
def test_the_only_audio_is_taken_whatever_its_name_and_a_note_says_so(
    written: dict[str, list[str]], save: Save, record: Callable[..., Path], cache: Path, tmp_path: Path
) -> None:
    contents = [record(tmp_path / f"{name}.wav").read_bytes() for name in ("a", "b")]
    features = Features(speech=Audio(), label=LABEL, **dict.fromkeys(written, Value("string")))
    values = {"speech": [{"bytes": content, "path": None} for content in contents], "label": [0, 1], **written}
    corpus = describe("calls", str(save(tmp_path / "data", values, features)), {})
    assert corpus.root is not None
    assert [(corpus.root / str(u.path)).read_bytes() for u in entries(corpus, Utterance)] == contents
    assert Remark("its recordings are in the column speech, the only one that has some") in entries(corpus, Remark)


def test_one_of_several_columns_of_audio_is_to_be_named(
    save: Save, record: Callable[..., Path], cache: Path, tmp_path: Path
) -> None:
    recording = {"bytes": record(tmp_path / "a.wav").read_bytes(), "path": "a.wav"}
    features = Features(near=Audio(), far=Audio(), label=LABEL)
    folder = save(tmp_path / "data", {"near": [recording], "far": [recording], "label": [0]}, features)
    with pytest.raises(UsageError) as error:
        describe("calls", str(folder), {})
    assert str(error.value) == (
        f"hf:{folder} has neither a column of paths nor one of texts, its columns are near, far, label; "
        "name it with --columns path=NAME or --columns text=NAME."
    )
    remarks = entries(describe("calls", str(folder), {"path": "near"}), Remark)
    assert not any("the only one" in remark.sentence for remark in remarks)


def test_equal_names_in_a_table_are_told_apart_by_their_rows(
    save: Save, record: Callable[..., Path], cache: Path, tmp_path: Path
) -> None:
    contents = [record(tmp_path / f"{name}.wav").read_bytes() for name in ("a", "b")]
    audio = Features(audio=Audio(), label=LABEL)
    folder = save(
        tmp_path / "data", {"audio": [{"bytes": c, "path": "audio.wav"} for c in contents], "label": [0, 1]}, audio
    )
    utterances = entries(describe("calls", str(folder), {}), Utterance)
    assert [u.utterance_id for u in utterances] == ["calls/train/0", "calls/train/1"]
    assert utterances[0].path != utterances[1].path


def test_paths_stay_in_the_folder_of_the_data_set(save: Save, record: Callable[..., Path], tmp_path: Path) -> None:
    record(tmp_path / "secret.wav")
    inside = record(tmp_path / "data" / "wav" / "a.wav")
    (tmp_path / "data" / "train.jsonl").write_text(
        '{"audio": "wav/a.wav", "label": "joy"}\n{"audio": "../secret.wav", "label": "joy"}\n'
        f'{{"audio": "{tmp_path}/secret.wav", "label": "joy"}}\n{{"audio": "wav/none.wav", "label": "joy"}}\n'
        f'{{"audio": "{inside}", "label": "anger", "id": 1}}\n{{"audio": "/etc/hostname", "label": "joy"}}\n'
    )
    for number in range(2):  # more tables than recordings, so that `datasets` takes the folder for tables
        (tmp_path / "data" / f"train-{number}.jsonl").write_text("")
    corpus = describe("calls", str(tmp_path / "data"), {})
    assert corpus.root == tmp_path / "data"
    assert [u.path for u in entries(corpus, Utterance)] == ["wav/a.wav", "wav/a.wav"]
    assert [(d.reason, d.detail) for d in entries(corpus, Dropped)] == [
        (OUT_OF_ROOT, "../secret.wav"),
        (OUT_OF_ROOT, f"{tmp_path}/secret.wav"),
        (NOT_THERE, "wav/none.wav"),
        (OUT_OF_ROOT, "/etc/hostname"),
    ]
    assert walks(corpus.options)


def test_an_id_that_occurs_twice_is_refused(save: Save, tmp_path: Path) -> None:
    features = Features(**TEXTS, utterance_id=Value("string"))
    folder = save(tmp_path / "data", {"text": ["a", "b"], "label": [0, 1], "utterance_id": ["x", "x"]}, features)
    with pytest.raises(DataError) as error:
        entries(describe("calls", str(folder), {}), Utterance)
    assert str(error.value) == (
        f"hf:{folder} has the utterance_id x 2 times (train, index 0, train, index 1); give each row its own, or leave the "
        "column out with --columns utterance_id=."
    )


def test_what_cannot_be_used_is_named(save: Save, tmp_path: Path) -> None:
    meta = Features(text=Value("string"), emotion={"name": Value("string"), "score": Value("float32")})
    folder = save(tmp_path / "nested", {"text": ["a"], "emotion": [{"name": "joy", "score": 1.0}]}, meta)
    with pytest.raises(UsageError) as error:
        describe("calls", str(folder), {})
    assert str(error.value) == (
        f"hf:{folder} has nested values (name, score) in its column emotion, which cannot be used as label; "
        "name another with --columns label=NAME."
    )
    folder = save(
        tmp_path / "none", {"text": ["a"], "mood": ["joy"]}, Features(text=Value("string"), mood=Value("string"))
    )
    with pytest.raises(UsageError) as error:
        describe("calls", str(folder), {})
    assert str(error.value).startswith(f"hf:{folder} has no column of labels, its columns are text, mood; ")
    with pytest.raises(UsageError) as error:
        describe("calls", str(folder), {"label": "moood"})
    assert str(error.value) == (
        f"hf:{folder} has no column moood, its columns are text, mood; did you mean --columns label=mood?"
    )
    folder = save(tmp_path / "empty", {"text": [], "label": []}, TEXTS)
    with pytest.raises(DataError) as empty:
        describe("calls", str(folder), {})
    assert str(empty.value) == f"hf:{folder} has no rows; name a data set that has some."
    (tmp_path / "labels.csv").touch()
    with pytest.raises(UsageError) as file:
        describe("calls", str(tmp_path / "labels.csv"), {})
    assert str(file.value) == (
        f"{tmp_path}/labels.csv is a file; name the folder that it is in, or prepare it as a table with "
        f"NAME={tmp_path}/labels.csv."
    )


def test_no_code_of_a_folder_is_run(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    script = f"import pathlib; pathlib.Path({str(tmp_path / 'ran')!r}).touch()"
    (folder / "other.py").write_text(script)
    (folder / "train.csv").write_text("text,label,speaker\nNA,joy,03\nHi,anger,08\n")
    utterances = entries(describe("calls", str(folder), {}), Utterance)
    assert [(u.text, u.speaker) for u in utterances] == [("NA", "03"), ("Hi", "08")]
    (folder / "data.py").write_text(script)  # of the folder's name, as the scripts of data sets once had
    with pytest.raises(DataError, match=r"^.+/data is no readable data set \(Dataset scripts are no longer supported"):
        describe("calls", str(folder), {})
    assert not (tmp_path / "ran").exists()
