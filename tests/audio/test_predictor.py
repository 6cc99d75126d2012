"""The predictor of audio runs: files, and splits as at the end of training."""

import json
import os
import shutil
from pathlib import Path

import numpy
import pytest
import soundfile
import torch
import yaml

from emokit import predictions, runs
from emokit.audio.predictor import AudioPredictor
from emokit.data.prepared import open_prepared
from emokit.errors import DataError, UsageError
from emokit.files import write_json
from emokit.modality import registry
from emokit.modality.predictor import Arguments, Input
from emokit.settings import read_yaml_mapping

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def predictor(acrnn_run):
    return AudioPredictor(acrnn_run, "cpu")


@pytest.fixture(scope="module")
def prepared(small_prepared):
    return open_prepared(small_prepared)


@pytest.fixture
def some_recording(prepared):
    """A recording shorter than a window of the run."""
    row = prepared.table.loc[prepared.table["duration_seconds"].idxmin()]
    assert row["duration_seconds"] < 1.5
    return Path(prepared.roots["emodb"]) / row["path"]


def test_a_run_predicts_a_split_as_at_the_end_of_training(predictor, acrnn_run, prepared, tmp_path):
    predicted, counts = predictor.predict_split(prepared, "test")
    predictions.write(predicted, tmp_path / "again.parquet")
    before, again = (
        predictions.read(acrnn_run / "predictions/test.parquet"),
        predictions.read(tmp_path / "again.parquet"),
    )
    assert before.table.equals(again.table)
    assert (again.model, counts) == ("small", {})


def test_a_file_of_a_split_is_predicted_as_in_the_split(predictor, acrnn_run, prepared):
    # Features on disk are float16; nothing else differs.
    before = predictions.read(acrnn_run / "predictions/test.parquet")
    row = before.table.iloc[0]
    path = prepared.table.set_index("utterance_id").loc[row["utterance_id"], "path"]
    (prediction,) = predictor.predict([f"{prepared.roots['emodb']}/{path}"])
    assert prediction.probabilities == pytest.approx(row[before.labels.columns].to_numpy(float), abs=1e-2)


def test_the_seconds_of_windows_are_rounded_to_milliseconds(predictor, tmp_path):
    path = tmp_path / "long.wav"
    soundfile.write(path, numpy.random.default_rng(0).uniform(-0.5, 0.5, 44_100 * 2), 44_100)
    (prediction,) = predictor.predict([path])
    assert prediction.given == {"file": str(path)}
    assert prediction.cells == ((str(path),), ())
    assert [(window.start_seconds, window.end_seconds) for window in prediction.windows] == [(0.0, 1.52), (0.5, 2.0)]
    mean = numpy.mean([window.probabilities for window in prediction.windows], axis=0)
    assert prediction.probabilities == pytest.approx(mean)


def test_the_table_has_a_row_per_file_or_per_window(predictor, tmp_path):
    soundfile.write(tmp_path / "long.wav", numpy.random.default_rng(0).uniform(-0.5, 0.5, 32_000), 16_000)
    (prediction,) = predictor.predict([tmp_path / "long.wav"])
    name, labels = str(tmp_path / "long.wav"), predictor.labels
    assert predictor.header({}) == ["file", "label", *labels]
    ((file, label, *cells),) = predictor.rows(prediction, {})
    assert (file, label) == (name, prediction.label)
    assert cells == [f"{p:.3f}" for p in prediction.probabilities]
    assert predictor.header({"timestamps": True}) == ["file", "start", "end", "label", *labels]
    first, second = predictor.rows(prediction, {"timestamps": True})
    assert (first[:3], second[:3]) == ([name, "0.00", "1.52"], [name, "0.50", "2.00"])
    assert first[3] == labels[int(prediction.windows[0].probabilities.argmax())]


def test_a_damaged_file_does_not_stop_the_others(predictor, tmp_path):
    (tmp_path / "a.wav").write_bytes(b"no audio")
    soundfile.write(tmp_path / "b.wav", numpy.insert(numpy.full(1599, 0.5), 50, 0), 16000)
    named = [Input("-", tmp_path / "a.wav"), Input("the second", tmp_path / "b.wav"), tmp_path / "a.wav"]
    piped, predicted, damaged = predictor.predict(named)
    assert str(piped).startswith("Standard input is undecodable (")
    assert predicted.given == {"file": "the second"}
    assert str(damaged).startswith(f"{tmp_path / 'a.wav'} is undecodable (")


def test_inputs_without_a_file_are_not_accepted(predictor, tmp_path):
    assert predictor.accepts(Input("a", tmp_path / "a.wav"))
    assert not predictor.accepts(Input("a", text="a sentence"))


def test_an_input_without_a_file_does_not_stop_the_others(predictor, tmp_path):
    soundfile.write(tmp_path / "b.wav", numpy.random.default_rng(0).uniform(-0.5, 0.5, 16_000), 16_000)
    error, prediction = predictor.predict([Input("a", text="a sentence"), tmp_path / "b.wav"])
    assert str(error) == "a has no file, and the model reads only audio; add its audio file or leave it out."
    assert prediction.given == {"file": str(tmp_path / "b.wav")}


def test_arguments_are_files_and_folders(predictor, tmp_path):
    (tmp_path / "a.wav").touch()
    with predictor.inputs(Arguments((str(tmp_path),))) as inputs:
        assert inputs == [Input(str(tmp_path / "a.wav"), tmp_path / "a.wav")]


def test_an_unknown_split_is_refused(predictor, prepared):
    with pytest.raises(UsageError) as error:
        predictor.predict_split(prepared, "tset")
    assert str(error.value) == "--split tset is unknown; choose one of train, dev, test."


def with_corpora(run, corpora, folder):
    """A copy of a run whose settings name other corpora."""
    shutil.copytree(run, folder)
    settings = read_yaml_mapping(folder / runs.SETTINGS)
    settings["data"]["corpora"] = corpora
    (folder / runs.SETTINGS).write_text(yaml.safe_dump(settings))
    return AudioPredictor(folder, "cpu")


def test_a_folder_with_some_of_the_runs_corpora_is_predicted_and_one_with_none_refused(acrnn_run, prepared, tmp_path):
    predicted, _ = with_corpora(acrnn_run, ["tess", "emodb"], tmp_path / "some").predict_split(prepared, "dev")
    assert len(predicted.table) == (prepared.table["split"] == "dev").sum()
    with pytest.raises(DataError) as error:
        with_corpora(acrnn_run, ["tess"], tmp_path / "none").predict_split(prepared, "dev")
    assert str(error.value) == (
        f"{prepared.folder} has no dev utterances of the run's corpora; choose another --split."
    )


def test_damaged_and_incomplete_runs_are_named(acrnn_run, tmp_path):
    run = shutil.copytree(acrnn_run, tmp_path / "run")
    (run / "model/model.safetensors").write_bytes(b"cut short")
    with pytest.raises(DataError) as damaged:
        AudioPredictor(run, "cpu")
    assert str(damaged.value).startswith(f"{run / 'model'} holds no complete model (")
    shutil.copytree(acrnn_run / "model", run / "model", dirs_exist_ok=True)
    metrics = json.loads((run / "metrics.json").read_text())
    labels = metrics["labels"]
    write_json(run / "metrics.json", metrics | {"labels": labels[::-1]})
    with pytest.raises(DataError) as other:
        registry.load(run, "cpu")
    assert str(other.value) == (
        f"{run / 'model'} has a model of the labels {', '.join(labels)} and its run has {', '.join(labels[::-1])}; "
        "train the run again with --force."
    )
    (run / "metrics.json").unlink()
    with pytest.raises(DataError) as incomplete:
        registry.load(run, "cpu")
    assert (
        str(incomplete.value)
        == f"{run} has no metrics.json, so its training did not end; resume it by adding --resume."
    )


def test_what_is_skipped_in_a_folder_is_the_closing_note(predictor, tmp_path):
    soundfile.write(tmp_path / "a.wav", [0.5, -0.5] * 8000, 16_000)
    (tmp_path / "b.txt").touch()
    with predictor.inputs(Arguments((str(tmp_path),))) as inputs:
        assert [item.name for item in inputs] == [str(tmp_path / "a.wav")]
    assert predictor.closing_note() == (
        f"skipped 1 in folders: 1 no ending of an audio or video file ({tmp_path / 'b.txt'})"
    )
    with predictor.inputs(Arguments((str(tmp_path / "a.wav"),))):
        assert predictor.closing_note() is None


def test_a_name_that_is_not_utf_8_is_shown_escaped(predictor, tmp_path):
    soundfile.write(tmp_path / "a.wav", [0.5, -0.5] * 8000, 16_000)
    path = (tmp_path / "a.wav").rename(tmp_path / os.fsdecode(b"caf\xe9\t.wav"))
    with predictor.inputs(Arguments((str(tmp_path),))) as inputs:
        (named,) = predictor.predict(inputs)
    (given,) = predictor.predict([path])
    for prediction in (named, given):
        assert prediction.given == {"file": rf"{tmp_path}/caf\xe9\t.wav"}
        assert prediction.cells == ((rf"{tmp_path}/caf\xe9\t.wav",), ())
    (missing,) = predictor.predict([tmp_path / "\t.wav"])
    assert str(missing).startswith(rf"{tmp_path}/\t.wav is unreadable")


def test_a_repair_is_said_with_the_prediction_and_changes_its_label_no_more(predictor, tmp_path):
    samples = numpy.random.default_rng(0).uniform(-0.5, 0.5, 16_000).astype(numpy.float32)
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype="FLOAT")
    soundfile.write(tmp_path / "b.wav", samples * 32_768, 16_000, subtype="FLOAT")
    soundfile.write(tmp_path / "c.wav", samples * 1e20, 16_000, subtype="FLOAT")
    plain, repaired, huge = predictor.predict([tmp_path / "a.wav", tmp_path / "b.wav", tmp_path / "c.wav"])
    (flag,) = repaired.flags
    assert flag.startswith("floats of 16-bit scale, repaired by dividing them by 32768 (peak 16")
    assert plain.flags == ()
    assert repaired.probabilities.tolist() == plain.probabilities.tolist()
    assert str(huge).startswith(f"{tmp_path / 'c.wav'} is far above full scale (peak 5e+19 of full scale);")


def test_a_model_that_gives_no_finite_numbers_gives_an_error_per_file(acrnn_run, tmp_path):
    broken = AudioPredictor(acrnn_run, "cpu")
    for parameter in broken.model.parameters():
        parameter.data.fill_(numpy.nan)
    soundfile.write(tmp_path / "a.wav", numpy.random.default_rng(0).uniform(-0.5, 0.5, 16_000), 16_000)
    (error,) = broken.predict([tmp_path / "a.wav"])
    assert isinstance(error, DataError)
    assert str(error).startswith(f"{tmp_path / 'a.wav'} got probabilities that are not finite numbers;")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"normalisation": "utterance"}, "normalisation = 'utterance' and its run has 'train'"),
        ({"time_poolings": 99}, "time_poolings = 99 and its run has 3"),
        ({"window_overlap": 0.5}, "window_overlap = 0.5 and its run has 0.0"),
        ({"model_type": "acrnnx"}, "model_type = 'acrnnx' and its run has 'acrnn'"),
        ({"features": {"fmax": 100}}, "features.fmax = 100 and its run has 8000.0"),
    ],
)
def test_a_model_whose_config_differs_from_the_runs_settings_does_not_answer(acrnn_run, tmp_path, changed, words):
    run = shutil.copytree(acrnn_run, tmp_path / "run")
    config = json.loads((run / "model/config.json").read_text())
    if "features" in changed:
        changed = {"features": config["features"] | changed["features"]}
    write_json(run / "model/config.json", config | changed)
    with pytest.raises(DataError) as error:
        AudioPredictor(run, "cpu")
    assert str(error.value) == f"{run / 'model/config.json'} has {words}; train the run again with --force."


def test_an_embedding_through_the_head_gives_the_logits_of_the_run(predictor, some_recording):
    path = some_recording
    (embedding,), (prediction,) = predictor.embed([path]), predictor.predict([path])
    assert (embedding.name, embedding.vectors.shape) == (str(path), (1, 16))
    with torch.inference_mode():
        probabilities = predictor.model.head(torch.from_numpy(embedding.vectors)).softmax(dim=1)[0]
    assert prediction.probabilities == pytest.approx(probabilities.numpy(), abs=1e-6)
    (more,) = predictor.embed([path], steps=4)
    assert more.vectors.shape == (4, 16)


def test_what_cannot_be_embedded_does_not_stop_the_others(predictor, some_recording, tmp_path):
    (tmp_path / "a.wav").write_bytes(b"no audio")
    bad, text, good = predictor.embed([tmp_path / "a.wav", Input("words", text="fine"), some_recording])
    assert str(bad).startswith(f"{tmp_path / 'a.wav'} is undecodable")
    assert str(text) == "words has no file, and the model reads only audio; add its audio file or leave it out."
    assert good.vectors.shape == (1, 16)
