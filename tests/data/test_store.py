"""Features on disk: reading what was written, repeated readings, damage."""

import re
from pathlib import Path

import numpy
import pyarrow
import pytest

from emokit.data.audio_io.reading import Reading
from emokit.data.store import SCHEMA, FeatureStore, write_shard
from emokit.errors import DataError


def reading(name: str, frames: int = 3, value: float = 0.0, **facts: object) -> Reading:
    log_mel = numpy.full((frames, 4), value, numpy.float16) + numpy.arange(frames, dtype=numpy.float16)[:, None]
    return Reading(**({"utterance_id": name, "size": 10, "changed_ns": 1, "log_mel": log_mel} | facts))  # type: ignore[arg-type]


def test_features_of_any_length_are_read_by_id(tmp_path: Path) -> None:
    write_shard(tmp_path, [reading("a", frames=3), reading("b", frames=1, value=-80)])
    write_shard(tmp_path, [reading("c", frames=200, value=-20.5)])
    store = FeatureStore(tmp_path)
    assert sorted(store) == ["a", "b", "c"]
    assert len(store) == 3
    assert ("a" in store, "d" in store) == (True, False)
    assert store["b"].tolist() == [[-80, -80, -80, -80]]
    assert store["c"].shape == (200, 4)
    assert store["c"][:, 0].tolist() == [-20.5 + n for n in range(200)]
    assert store["a"].dtype == numpy.float16


def test_features_are_a_read_only_view_of_the_mapped_file(tmp_path: Path) -> None:
    write_shard(tmp_path, [reading("a")])
    features = FeatureStore(tmp_path)["a"]
    assert not features.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        features[0, 0] = 1


def test_the_facts_about_the_audio_are_stored(tmp_path: Path) -> None:
    write_shard(
        tmp_path,
        [
            reading("a", duration_seconds=1.25, sample_rate=48_000, num_channels=2, recording="f00d"),
            reading("b", bad="silent", detail="8 samples", log_mel=None),
        ],
    )
    facts = FeatureStore(tmp_path).facts
    assert facts.loc["a", ["duration_seconds", "sample_rate", "num_channels", "recording", "bad"]].tolist() == [
        1.25, 48_000, 2, "f00d", "",
    ]  # fmt: skip
    assert facts.loc["b", ["bad", "detail"]].tolist() == ["silent", "8 samples"]


def test_an_unusable_file_has_no_frames(tmp_path: Path) -> None:
    write_shard(tmp_path, [reading("a", bad="silent", log_mel=None), reading("b")])
    store = FeatureStore(tmp_path)
    assert store["a"].size == 0
    assert store["b"].shape == (3, 4)


def test_the_last_reading_of_a_file_that_changed_counts(tmp_path: Path) -> None:
    write_shard(tmp_path, [reading("a", value=1), reading("b", value=2)])
    write_shard(tmp_path, [reading("a", value=3, changed_ns=2)])
    store = FeatureStore(tmp_path)
    assert len(store) == len(store.facts) == 2
    assert (store["a"][0, 0], store["b"][0, 0]) == (3, 2)
    assert not store.is_current("a", size=10, changed_ns=1)
    assert store.is_current("a", size=10, changed_ns=2)
    assert not store.is_current("a", size=11, changed_ns=2)
    assert not store.is_current("c", size=10, changed_ns=1)


def test_an_empty_folder_is_an_empty_store(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    assert len(store) == 0
    assert not store.is_current("a", 1, 1)


def test_the_error_for_an_utterance_without_features_has_its_id(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        FeatureStore(tmp_path)["emodb/a"]
    assert str(error.value) == (
        f"{tmp_path} has no features of emodb/a; run `emokit prepare` again with the same --out."
    )


def test_the_error_for_a_truncated_shard_has_its_path(tmp_path: Path) -> None:
    write_shard(tmp_path, [reading("a", frames=100)])
    path = tmp_path / "part-00000.arrow"
    path.write_bytes(path.read_bytes()[:500])
    words = rf"{re.escape(str(path))} is damaged \(.+\); delete it and run `emokit prepare` again\."
    with pytest.raises(DataError, match=f"^{words}$"):
        FeatureStore(tmp_path)


def test_flags_are_stored_and_a_store_without_them_is_read_again(tmp_path: Path) -> None:
    write_shard(tmp_path, [reading("a", flags=("shorter than 0.1 s", "odd")), reading("b")])
    store = FeatureStore(tmp_path)
    assert [list(flags) for flags in store.facts["flags"]] == [["shorter than 0.1 s", "odd"], []]
    assert store.is_current("a", 10, 1)
    # A shard of an emokit that checked less.
    table = pyarrow.ipc.open_file(str(tmp_path / "part-00000.arrow")).read_all().drop_columns(["flags"])
    with pyarrow.ipc.new_file(str(tmp_path / "part-00000.arrow"), table.schema) as writer:
        writer.write_table(table)
    old = FeatureStore(tmp_path)
    assert old["a"].shape == (3, 4)
    assert [list(flags) for flags in old.facts["flags"]] == [[], []]
    assert not old.is_current("a", 10, 1)
    write_shard(tmp_path, [reading("a")])
    assert FeatureStore(tmp_path).is_current("a", 10, 1)


def test_a_shard_of_another_shape_is_damaged(tmp_path: Path) -> None:
    words = pyarrow.table({name: ["x"] for name in SCHEMA.names})
    for table, fault in (
        (pyarrow.table({"utterance_id": ["a"]}), "it has no column size of int64"),
        (words, "it has no column size of int64"),
        (SCHEMA.empty_table(), "it has no rows"),
    ):
        path = tmp_path / "part-00000.arrow"
        with pyarrow.OSFile(str(path), "wb") as sink, pyarrow.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        with pytest.raises(DataError) as caught:
            FeatureStore(tmp_path)
        assert str(caught.value) == f"{path} is damaged ({fault}); delete it and run `emokit prepare` again."


@pytest.mark.parametrize("value", [numpy.nan, numpy.inf])
def test_stored_features_that_are_not_finite_are_damage(tmp_path: Path, value: float) -> None:
    write_shard(tmp_path, [reading("a"), reading("b", value=value)])
    store = FeatureStore(tmp_path)
    assert store["a"].shape == (3, 4)
    with pytest.raises(DataError) as caught:
        store["b"]
    path = tmp_path / "part-00000.arrow"
    assert str(caught.value) == (
        f"{path} is damaged (b has numbers that are not finite); delete it and run `emokit prepare` again."
    )
