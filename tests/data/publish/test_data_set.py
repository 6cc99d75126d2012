"""Prepared folders as data sets: features, shards, and what an interruption leaves."""

from pathlib import Path

import datasets
import pyarrow.parquet
import pytest

from emokit.data.prepared import Prepared
from emokit.data.publish import data_set
from emokit.data.publish.data_set import features, write_data_set, write_parquet
from emokit.data.publish.rows import published


def test_the_label_is_a_class_label_in_the_order_of_the_label_set(calls: Prepared, texts: Prepared) -> None:
    of_calls, of_texts = features(published(calls)), features(published(texts))
    assert of_calls["label"] == datasets.ClassLabel(names=["joy", "anger", "fear"])
    assert of_calls["audio"] == datasets.Audio()
    assert of_texts["soft_label"] == datasets.List(datasets.Value("float64"), length=2)
    assert "audio" not in of_texts


def test_parquet_files_are_cut_and_hold_every_row_once(
    calls: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_set, "BATCH_ROWS", 2)
    monkeypatch.setattr(data_set, "SHARD_BYTES", 5000)
    rows = published(calls)
    paths = write_parquet(rows, tmp_path)
    assert [path.name for path in paths if path.name.startswith("train")] == [
        f"train-{number:05d}-of-00003.parquet" for number in range(3)
    ]
    tables = [pyarrow.parquet.read_table(path) for path in paths]
    ids = [name for table in tables for name in table["utterance_id"].to_pylist()]
    assert sorted(ids) == sorted(rows.table["utterance_id"])
    contents = {row["utterance_id"]: row["audio"]["bytes"] for table in tables for row in table.to_pylist()}
    assert all(contents[name] == rows.recording(index) for index, name in enumerate(rows.table["utterance_id"]))
    assert datasets.Features.from_arrow_schema(tables[0].schema) == features(rows)
    assert {path.parent for path in tmp_path.rglob("*") if path.is_file()} == {tmp_path / "data"}


def test_an_interrupted_data_set_has_no_marker(
    calls: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(data_set, "write_json", stop)
    with pytest.raises(KeyboardInterrupt):
        write_data_set(published(calls), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["test", "train", "validation"]
    assert not list(tmp_path.rglob("*.part"))
