"""A pretrained encoder trained on a small synthesised corpus: what is trained, repeatability, resuming, prediction."""

import json
import shutil
from pathlib import Path

import numpy
import pytest
import torch
import yaml
from huggingface_hub import constants
from safetensors.torch import load_file
from typer.testing import CliRunner

from emokit import predictions, runs
from emokit.audio.modality import AUDIO
from emokit.audio.predictor import AudioPredictor
from emokit.audio.settings import AudioSettings
from emokit.audio.splits import read_splits
from emokit.audio.waveform.family import PretrainedFamily
from emokit.audio.waveform.pretrained import pretrained
from emokit.cli.app import app
from emokit.data.audio_io.read import read_audio
from emokit.data.prepared import open_prepared
from emokit.errors import DataError
from emokit.files import write_json
from emokit.settings import read_yaml_mapping
from emokit.training import checkpoint
from tests.audio.conftest import write_encoder

pytestmark = pytest.mark.end_to_end

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def prepared(small_prepared, tmp_path_factory):
    """A copy, because waveforms are cached in it."""
    return shutil.copytree(small_prepared, tmp_path_factory.mktemp("copy") / "prepared")


def experiment(encoder, *, frozen=False, **training):
    usual = {
        "max_epochs": 2,
        "batch_size": 16,
        "max_seconds_per_batch": 20,
        "lr": 0.01,
        "encoder_lr_multiplier": 0.3,
        "layer_decay": 0.9,
    }
    return AudioSettings.make(
        {
            "name": "speech",
            "data": {"window_seconds": 1.2},
            "model": {"name": str(encoder), "classifier_hidden_size": 8, "frozen": frozen},
            "augmentation": {"speed_factors": [1.0, 0.9]},
            "training": usual | training,
        }
    )


def train(settings, data, run, **how):
    return AUDIO.train(settings, open_prepared(data) if isinstance(data, Path) else data, run, device="cpu", **how)


@pytest.fixture(scope="module")
def wav2vec2(tmp_path_factory):
    """An encoder with the masks and the dropping of layers of a real one."""
    return write_encoder("wav2vec2", tmp_path_factory.mktemp("encoder"), mask_time_prob=0.2, layerdrop=0.5)


@pytest.fixture(scope="module")
def run(prepared, wav2vec2, tmp_path_factory):
    """A complete run of two epochs, fine-tuned."""
    run = tmp_path_factory.mktemp("tuned") / "run"
    train(experiment(wav2vec2), prepared, run)
    return run


def weights(folder):
    return load_file(folder / "model.safetensors")


def test_a_fine_tuned_encoder_changes_and_so_do_the_weights_of_its_layers(run, wav2vec2):
    before, after = weights(wav2vec2), weights(run / "model")
    changed = {name for name, value in before.items() if not torch.equal(value, after[f"encoder.{name}"])}
    assert [name for name in changed if name.startswith("encoder.layers.0.")]
    assert not [name for name in changed if name.startswith("feature_extractor.")]
    assert after["layer_weights"].abs().max() > 1e-3
    metrics = runs.read_metrics(run)
    assert metrics["model"] == "wav2vec2"
    assert set(metrics["splits"]["test"]["baselines"]) == {"majority", "simple"}


@pytest.mark.parametrize("kind", ["wavlm", "whisper"])
def test_a_frozen_encoder_is_unchanged_and_in_no_checkpoint(encoder_of, prepared, tmp_path, kind):
    folder, run = encoder_of(kind), tmp_path / "run"
    train(experiment(folder, frozen=True, max_epochs=1), prepared, run)
    before, after = weights(folder), weights(run / "model")
    prefix = "encoder." if kind == "whisper" else ""
    frozen = {name for name in before if name.startswith(prefix)}
    assert all(torch.equal(before[name], after[f"encoder.{name.removeprefix(prefix)}"]) for name in frozen)
    assert len(frozen) + 5 == len(after)  # the layers' weights, and two matrices with biases
    assert after["layer_weights"].abs().max() > 1e-3

    trained = {"layer_weights", "head.0.weight", "head.0.bias", "head.3.weight", "head.3.bias"}
    for name in (runs.CHECKPOINT, runs.BEST):
        state = checkpoint.read(run / name)["model"]
        assert set(state) & set(after) == trained, name


def test_the_same_seed_gives_the_same_bytes_and_so_does_a_resumed_run(run, prepared, wav2vec2, tmp_path):
    def stop(epoch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(experiment(wav2vec2), prepared, tmp_path / "run", on_epoch=stop)
    assert len(runs.read_log(tmp_path / "run")) == 1
    train(experiment(wav2vec2), prepared, tmp_path / "run", resume=True)
    for name in ("metrics.json", "model/model.safetensors", "predictions/test.parquet"):
        assert (tmp_path / "run" / name).read_bytes() == (run / name).read_bytes(), name


def test_a_run_predicts_a_split_as_at_the_end_of_training_and_a_file_as_in_the_split(run, prepared, tmp_path):
    predictor, opened = AudioPredictor(run, "cpu"), open_prepared(prepared)
    predicted, _ = predictor.predict_split(opened, "dev")
    predictions.write(predicted, tmp_path / "dev.parquet")
    assert (tmp_path / "dev.parquet").read_bytes() == (run / "predictions/dev.parquet").read_bytes()
    row = predictions.read(tmp_path / "dev.parquet").table.iloc[0]
    path = Path(opened.roots["emodb"]) / opened.table.set_index("utterance_id").loc[row["utterance_id"], "path"]
    (prediction,) = PretrainedFamily().predict_recordings(predictor.model, [path])
    expected = row[predictor.labels.columns].to_numpy(float)
    assert prediction.probabilities == pytest.approx(expected, abs=2e-3)
    audio = read_audio(path)
    assert prediction.seconds[0, 0] == 0
    assert prediction.seconds[-1, 1] == pytest.approx(len(audio.waveform) / audio.sample_rate, abs=1e-3)
    assert numpy.diff(prediction.seconds).max() <= 1.2
    assert prediction.probabilities == pytest.approx(prediction.by_window.mean(0))


def test_a_missing_file_does_not_stop_the_others(run, prepared, tmp_path):
    predictor, opened = AudioPredictor(run, "cpu"), open_prepared(prepared)
    path = Path(opened.roots["emodb"]) / opened.table["path"].iloc[0]
    missing, predicted = PretrainedFamily().predict_recordings(predictor.model, [tmp_path / "missing.wav", path])
    assert isinstance(missing, DataError)
    assert predicted.probabilities.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "key", "value", "expected"),
    [
        ("config.json", "window_overlap", 0.5, 0.0),
        ("config.json", "window_seconds", 2.5, 1.2),
        ("preprocessor_config.json", "sampling_rate", 8000, 16000),
    ],
)
def test_a_model_whose_config_differs_from_the_runs_settings_does_not_answer(run, tmp_path, name, key, value, expected):
    file = shutil.copytree(run, tmp_path / "run") / "model" / name
    write_json(file, json.loads(file.read_text()) | {key: value})
    with pytest.raises(DataError) as error:
        AudioPredictor(tmp_path / "run", "cpu")
    assert str(error.value) == (
        f"{file} has {key} = {value} and its run has {expected}; train the run again with --force."
    )


def moved(prepared, to, gone):
    """A copy of a prepared folder whose settings name a corpus root that does not exist."""
    shutil.copytree(prepared, to)
    settings = read_yaml_mapping(to / "settings.yaml")
    (to / "settings.yaml").write_text(yaml.safe_dump(settings | {"roots": {"emodb": str(gone)}}))
    return open_prepared(to)


def test_cached_waveforms_are_not_read_again(run, prepared, wav2vec2, tmp_path):
    data = moved(prepared, tmp_path / "prepared", tmp_path / "gone")
    train(experiment(wav2vec2, max_epochs=1), data, tmp_path / "run")
    assert runs.is_complete(tmp_path / "run")


def test_recordings_that_are_gone_are_named(small_prepared, wav2vec2, tmp_path):
    data = moved(small_prepared, tmp_path / "prepared", tmp_path / "gone")
    with pytest.raises(DataError) as error:
        train(experiment(wav2vec2), data, tmp_path / "run")
    first, rest = str(error.value).split(" is not there")
    assert first.startswith(str(tmp_path / "gone"))
    assert rest == (", and a pretrained encoder needs the waveform; prepare the corpus again from its present folder.")


def test_an_encoder_that_is_not_available_leaves_nothing_behind(prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    words = ["train", "audio", "--data", str(prepared), "--run", str(tmp_path / "run")]
    result = CliRunner().invoke(app, [*words, "--set", "model.name=some/encoder"])
    assert result.exit_code == 3
    assert result.stderr.strip() == (
        "error: some/encoder is no folder and not in the cache of downloaded models, and the hub cannot be reached; "
        "fetch it where there is a network with `hf download some/encoder`."
    )
    assert not (tmp_path / "run").exists()


def test_a_plan_counts_the_steps_that_training_takes(prepared, wav2vec2):
    settings = experiment(wav2vec2, gradient_accumulation_steps=2, max_seconds_per_batch=12)
    opened, family = open_prepared(prepared), PretrainedFamily()
    splits = read_splits(settings, opened)
    plan = family.plan(settings, splits["train"].table)
    trainable = family.trainable(settings, pretrained(settings, opened.labels), opened, splits, CPU)
    assert plan["steps_per_epoch"] == -(-len(trainable.batches) // 2)
    assert plan["padding_share"] == pytest.approx(trainable.batches.padding_share(), abs=1e-3)


def test_features_computed_in_advance_are_those_that_training_needs(small_prepared, wav2vec2, tmp_path):
    data = open_prepared(shutil.copytree(small_prepared, tmp_path / "prepared"))
    AUDIO.compute_features(experiment(wav2vec2), data, data.table)
    stores = {path.name for path in (data.folder / "features").glob("waveform*")}
    assert stores == {"waveform-16000", "waveform-16000-speed-0.9"}
