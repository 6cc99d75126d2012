"""Prepared folders exported, and prepared again: the same utterances, labels, splits and features."""

import re
from collections.abc import Callable
from pathlib import Path

import datasets
import numpy
import pytest

from emokit.data.prepared import Prepared
from emokit.data.publish.export import FORMATS, export
from emokit.errors import DataError, UsageError

SAME = (
    "speaker",
    "gender",
    "language",
    "text",
    "label",
    "split",
    "sentence",
    "dialogue",
    "turn",
    "duration_seconds",
    "sample_rate",
)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOKIT_CACHE", str(tmp_path / "cache"))


def again(make: Callable[..., Prepared], out: Path, source: tuple[str, ...]) -> Prepared:
    """Prepare what an export says about itself."""
    name, *rest = source
    options = dict(zip(rest[::2], rest[1::2], strict=True))
    root = options.get("--audio-root")
    columns = dict([options["--columns"].split("=")]) if "--columns" in options else None
    return make(out, name, labels=options["--labels"], audio_root=root and Path(root), columns=columns)


def check_same(first: Prepared, second: Prepared, *, prefix: str = "") -> None:
    assert first.labels == second.labels
    ids = first.table["utterance_id"] if prefix else first.table["utterance_id"].str.partition("/")[2]
    assert list(second.table["utterance_id"].str.partition("/")[2]) == list(ids)
    for name in SAME:
        if prefix and name in ("speaker", "sentence", "dialogue"):
            continue
        assert first.table[name].equals(second.table[name]), name
    stores = [prepared.store(next((prepared.folder / "features").iterdir()).name) for prepared in (first, second)]
    for one, two, path in zip(
        first.table["utterance_id"], second.table["utterance_id"], first.table["path"], strict=True
    ):
        if isinstance(path, str):
            assert numpy.array_equal(stores[0][one], stores[1][two])
            assert stores[0].facts.at[one, "recording"] == stores[1].facts.at[two, "recording"]


@pytest.mark.parametrize("form", FORMATS)
def test_recordings_are_prepared_again_to_the_bit(
    calls: Prepared, make: Callable[..., Prepared], tmp_path: Path, form: str
) -> None:
    exported = export(calls, tmp_path / "out", form)
    assert exported.num_left_out == 0
    second = again(make, tmp_path / "again", exported.source)
    speakers = {"03", "3", "x y"}
    assert set(second.table["speaker"]) == speakers
    check_same(calls, second)


@pytest.mark.parametrize("form", ["datasets", "csv"])
def test_soft_labels_are_prepared_again(
    texts: Prepared, make: Callable[..., Prepared], tmp_path: Path, form: str
) -> None:
    assert "soft_label" in texts.table
    second = again(make, tmp_path / "again", export(texts, tmp_path / "out", form).source)
    for one, two in zip(texts.table["soft_label"], second.table["soft_label"], strict=True):
        assert list(two) == pytest.approx(list(one), abs=1e-15)
    assert list(texts.table["label"]) == list(second.table["label"])
    assert list(texts.table["split"]) == list(second.table["split"])


def test_several_corpora_keep_their_ids_and_speakers_apart(
    two_corpora: Prepared, make: Callable[..., Prepared], tmp_path: Path
) -> None:
    second = again(make, tmp_path / "again", export(two_corpora, tmp_path / "out", "datasets").source)
    check_same(two_corpora, second, prefix="mine")
    acted = second.table[second.table["path"].notna()]
    assert set(acted["speaker"].str.partition("/")[0]) == {"emodb"}
    left_out = export(two_corpora, tmp_path / "folder", "audiofolder").num_left_out
    assert left_out == int(two_corpora.table["path"].isna().sum())


def test_datasets_reads_what_is_exported(calls: Prepared, tmp_path: Path) -> None:
    export(calls, tmp_path / "out", "datasets")
    data = datasets.load_from_disk(str(tmp_path / "out"))
    assert list(data) == ["train", "validation", "test"]
    features = data["train"].features
    assert features["label"].names == ["joy", "anger", "fear"]
    assert isinstance(features["audio"], datasets.Audio)
    row = data["train"].with_format("arrow")[0].to_pylist()[0]
    assert (row["label"], row["speaker"], row["turn"]) == (1, "03", 1)
    export(calls, tmp_path / "folder", "audiofolder")
    train = datasets.load_dataset(
        str(tmp_path / "folder"), cache_dir=str(tmp_path / "hf"), split="train", streaming=True
    )
    assert {"audio", "label", "text"} <= set(next(iter(train.with_format("arrow").iter(1))).column_names)


def test_the_names_of_copies_are_unique_and_lead_nowhere(calls: Prepared, tmp_path: Path) -> None:
    export(calls, tmp_path / "out", "audiofolder")
    files = [path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.wav")]
    assert len(files) == len({name.lower() for name in files}) == len(calls.table)
    assert all(re.fullmatch(r"(train|dev|test)/[\w.-]+\.wav", name) for name in files)


def test_wrong_requests_are_one_sentence(calls: Prepared, texts: Prepared, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as inside:
        export(calls, calls.folder / "out", "csv")
    assert str(inside.value) == (
        f"{calls.folder}/out is in the prepared folder {calls.folder}; name a folder outside of it with --out."
    )
    with pytest.raises(DataError) as error:
        export(texts, tmp_path / "out", "audiofolder")
    assert str(error.value) == (
        f"{texts.folder} has only texts, and an audiofolder has a recording per row; use --format datasets or csv."
    )
    assert not list((tmp_path / "out").glob("[!.]*/metadata.csv")) or not (tmp_path / "out" / "train" / "x").exists()


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_is_replaced_only_with_force(calls: Prepared, tmp_path: Path, form: str) -> None:
    export(calls, tmp_path / "out", form)
    with pytest.raises(UsageError, match="exists and is not empty"):
        export(calls, tmp_path / "out", form)
    export(calls, tmp_path / "out", form, force=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.txt").touch()
    with pytest.raises(UsageError, match="so emokit did not make it"):
        export(calls, tmp_path / "mine", form, force=True)


def test_the_recordings_of_the_data_are_not_replaced(
    calls: Prepared, make: Callable[..., Prepared], tmp_path: Path
) -> None:
    second = again(make, tmp_path / "again", export(calls, tmp_path / "out", "audiofolder").source)
    before = sorted((tmp_path / "out").rglob("*"))
    with pytest.raises(UsageError) as error:
        export(second, tmp_path / "out", "audiofolder", force=True)
    place = str(error.value).removeprefix(f"{tmp_path / 'out'} has ").split(" in it, ")
    assert Path(place[0]) in [tmp_path / "out" / split for split in ("train", "dev", "test")]
    assert place[1] == "which --force would delete; name another --out."
    assert sorted((tmp_path / "out").rglob("*")) == before
