"""The splits that a training reads, and the sentences where they do not suit it."""

import shutil
from dataclasses import replace

import numpy
import pytest

from emokit.audio.settings import AudioSettings
from emokit.audio.splits import features_of, read_splits, rows_with_audio, split_tables
from emokit.data.prepared import features_folder, open_prepared
from emokit.data.utterance import HELD_OUT
from emokit.errors import DataError, UsageError


@pytest.fixture
def prepared(small_prepared):
    return open_prepared(small_prepared)


def test_rows_and_features_of_a_split_are_in_the_same_order(prepared, small_settings):
    settings = AudioSettings.make(small_settings)
    splits = read_splits(settings, prepared, ("dev",))
    assert list(splits) == ["train", "dev"]
    store = prepared.features(settings.features)
    for split, data in splits.items():
        assert set(data.table["split"]) == {split}
        for utterance_id, log_mel in zip(data.table["utterance_id"], data.log_mels, strict=True):
            assert numpy.array_equal(log_mel, store[utterance_id])
        assert data.statistics is None
        assert [data.labels[target] for target in data.targets] == data.table["label"].tolist()


def test_an_utterance_without_audio_is_not_used(prepared, small_settings):
    table = prepared.table.copy()
    table.loc[0, "path"] = None
    rows = rows_with_audio(AudioSettings.make(small_settings), replace(prepared, table=table))
    assert rows["utterance_id"].tolist() == table["utterance_id"].tolist()[1:]


def test_beside_a_pretrained_encoder_the_baseline_uses_the_features_of_the_folder(prepared, small_settings):
    settings = AudioSettings.make({"model": {"name": "some/encoder"}})
    assert features_of(settings, prepared) == AudioSettings.make(small_settings).features
    assert features_of(AudioSettings(), prepared) == AudioSettings().features


def test_features_that_the_folder_lacks_are_computed_beside_it_once(small_prepared, small_settings, tmp_path):
    prepared = open_prepared(shutil.copytree(small_prepared, tmp_path / "prepared"))
    small_settings["features"]["hop_length"] = 256
    settings, read = AudioSettings.make(small_settings), []
    table = prepared.table
    assert set(split_tables(settings, prepared)) == {"train", "dev", "test"}
    assert len(list((prepared.folder / "features").iterdir())) == 1  # a dry run computes nothing
    first = read_splits(settings, prepared, ("dev",), lambda *done: read.append(done))
    size = int((table["split"] != "test").sum())
    assert read == [(done, size) for done in range(1, size + 1)]
    assert features_folder(prepared.folder, settings.features).is_dir()
    again = read_splits(settings, open_prepared(prepared.folder), HELD_OUT, lambda *done: read.append(done))
    assert read[size:] == [(done, len(table) - size) for done in range(1, len(table) - size + 1)]  # test alone
    for split in ("train", "dev"):
        for before, after in zip(first[split].log_mels, again[split].log_mels, strict=True):
            assert numpy.array_equal(before, after)
            assert before.shape[1] == 32


def test_a_corpus_that_was_not_prepared_is_named(small_prepared, prepared, small_settings):
    small_settings["data"]["corpora"] = ["tess"]
    with pytest.raises(UsageError) as error:
        read_splits(AudioSettings.make(small_settings), prepared)
    assert str(error.value) == f"data.corpora names tess and {small_prepared} has audio of emodb; prepare it too."


def test_a_batch_larger_than_the_training_split_is_refused(prepared, small_settings):
    small_settings["training"]["batch_size"] = 5000
    count = int((prepared.table["split"] == "train").sum())
    with pytest.raises(UsageError) as error:
        read_splits(AudioSettings.make(small_settings), prepared)
    assert str(error.value) == (
        f"training.batch_size is 5000 and the train split has {count} utterances; lower it with --batch-size."
    )


def test_a_class_without_a_training_example_is_named(prepared, small_settings):
    rest = prepared.table[(prepared.table["split"] != "train") | (prepared.table["label"] != "fear")]
    with pytest.raises(DataError) as error:
        read_splits(AudioSettings.make(small_settings), replace(prepared, table=rest))
    assert str(error.value) == (
        "The train split has no utterance labelled fear, which dev or test have; prepare more corpora or another split seed."
    )
