"""A pretrained encoder trained end to end on a small synthesised corpus: what learns, repeatability, going on, prediction."""

import shutil
from pathlib import Path

import numpy
import pytest
import torch
import yaml
from huggingface_hub import constants
from safetensors.torch import load_file
from transformers import AutoModelForAudioClassification
from typer.testing import CliRunner

from emokit import predictions, runs
from emokit.audio.learner import of_waveforms, survey
from emokit.audio.predict import hear, load_model, predict_split
from emokit.audio.settings import AudioSettings
from emokit.audio.train import read_splits, tables_of, train
from emokit.audio.waveform.pretrained import pretrained
from emokit.cli.app import app
from emokit.data.audio_io.read import read_audio
from emokit.data.prepared import open_prepared
from emokit.errors import DataError, UsageError
from emokit.labels import LABELS
from emokit.settings import read_yaml_mapping
from tests.audio.conftest import write_encoder

pytestmark = pytest.mark.end_to_end

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def prepared(small_prepared, tmp_path_factory):
    """A copy, as waveforms are kept in it."""
    return shutil.copytree(small_prepared, tmp_path_factory.mktemp("copy") / "prepared")


def experiment(encoder, **training):
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
            "model": {"name": str(encoder), "classifier_hidden_size": 8},
            "augmentation": {"speed_factors": [1.0, 0.9]},
            "training": usual | training,
        }
    )


@pytest.fixture(scope="module")
def wav2vec2(tmp_path_factory):
    """An encoder with the masks and the dropping of layers of a real one."""
    return write_encoder("wav2vec2", tmp_path_factory.mktemp("encoder"), mask_time_prob=0.2, layerdrop=0.5)


@pytest.fixture(scope="module")
def finished(prepared, wav2vec2, tmp_path_factory):
    """A complete run of two epochs, fine-tuned."""
    run = tmp_path_factory.mktemp("finished") / "run"
    train(experiment(wav2vec2), open_prepared(prepared), run, device="cpu")
    return run


def weights(folder):
    return load_file(folder / "model.safetensors")


def test_a_fine_tuned_encoder_changes_and_so_do_the_weights_over_its_layers(finished, wav2vec2):
    before, after = weights(wav2vec2), weights(finished / "model")
    changed = {name for name, value in before.items() if not torch.equal(value, after[f"encoder.{name}"])}
    assert [name for name in changed if name.startswith("encoder.layers.0.")]
    assert not [name for name in changed if name.startswith("feature_extractor.")]
    assert after["layer_weights"].abs().max() > 1e-3
    metrics = runs.read_metrics(finished)
    assert metrics["model"] == "wav2vec2"
    assert set(metrics["splits"]["test"]["baselines"]) == {"majority", "simple"}


@pytest.mark.parametrize("kind", ["wavlm", "whisper"])
def test_a_frozen_encoder_stays_and_its_layers_are_weighed(encoder_of, prepared, tmp_path, kind):
    folder = encoder_of(kind)
    settings = experiment(folder, max_epochs=1)
    settings = settings.model_copy(update={"model": settings.model.model_copy(update={"frozen": True})})
    train(settings, open_prepared(prepared), tmp_path / "run", device="cpu")
    before, after = weights(folder), weights(tmp_path / "run/model")
    prefix = "encoder." if kind == "whisper" else ""
    kept = {name for name in before if name.startswith(prefix)}
    assert all(torch.equal(before[name], after[f"encoder.{name.removeprefix(prefix)}"]) for name in kept)
    assert len(kept) + 5 == len(after)  # the layers' weights, and two matrices with biases
    assert after["layer_weights"].abs().max() > 1e-3


def test_the_same_seed_gives_the_same_bytes_and_so_does_going_on_after_a_stop(finished, prepared, wav2vec2, tmp_path):
    def stop(epoch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(experiment(wav2vec2), open_prepared(prepared), tmp_path / "run", device="cpu", on_epoch=stop)
    assert len(runs.read_log(tmp_path / "run")) == 1
    train(experiment(wav2vec2), open_prepared(prepared), tmp_path / "run", device="cpu", resume=True)
    for name in ("metrics.json", "model/model.safetensors", "predictions/test.parquet"):
        assert (tmp_path / "run" / name).read_bytes() == (finished / name).read_bytes(), name


def test_a_run_predicts_a_split_as_it_did_when_it_was_trained_and_a_file_as_the_split(finished, prepared, tmp_path):
    model = load_model(finished, CPU)
    predict_split(model, finished, prepared, "dev", tmp_path / "dev.parquet", CPU)
    assert (tmp_path / "dev.parquet").read_bytes() == (finished / "predictions/dev.parquet").read_bytes()
    row = predictions.read(tmp_path / "dev.parquet").table.iloc[0]
    table = open_prepared(prepared).table.set_index("utterance_id")
    roots = read_yaml_mapping(prepared / "settings.yaml")["roots"]
    sound = f"{roots['emodb']}/{table.loc[row['utterance_id'], 'path']}"
    heard = hear(model, Path(sound), CPU)
    assert heard.probabilities == pytest.approx(row[[f"p_{label}" for label in LABELS]].to_numpy(float), abs=2e-3)
    whole = read_audio(Path(sound))
    assert heard.seconds[0, 0] == 0
    assert heard.seconds[-1, 1] == pytest.approx(len(whole.waveform) / whole.sample_rate, abs=1e-3)
    assert numpy.diff(heard.seconds).max() <= 1.2
    assert heard.probabilities == pytest.approx(heard.by_window.mean(0))


def test_the_model_of_a_run_loads_with_transformers(finished):
    model = AutoModelForAudioClassification.from_pretrained(finished / "model")
    assert model(input_values=torch.randn(1, 9000)).logits.shape == (1, 7)


def moved(prepared, to, gone):
    """A copy of a prepared folder whose corpus is said to lie where nothing is."""
    shutil.copytree(prepared, to)
    settings = read_yaml_mapping(to / "settings.yaml")
    (to / "settings.yaml").write_text(yaml.safe_dump(settings | {"roots": {"emodb": str(gone)}}))
    return open_prepared(to)


def test_sound_is_read_once_and_then_kept(finished, prepared, wav2vec2, tmp_path):
    data = moved(prepared, tmp_path / "prepared", tmp_path / "gone")
    train(experiment(wav2vec2, max_epochs=1), data, tmp_path / "run", device="cpu")
    assert runs.is_complete(tmp_path / "run")


def test_sound_that_is_gone_is_named(small_prepared, wav2vec2, tmp_path):
    data = moved(small_prepared, tmp_path / "prepared", tmp_path / "gone")
    with pytest.raises(DataError) as error:
        train(experiment(wav2vec2), data, tmp_path / "run", device="cpu")
    first, rest = str(error.value).split(" is not there")
    assert first.startswith(str(tmp_path / "gone"))
    assert rest == ", and a pretrained encoder hears the sound itself; prepare the corpus again from where it lies now."


def test_an_encoder_that_is_not_to_be_had_leaves_nothing_behind(prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    words = [
        "train",
        "audio",
        "--data",
        str(prepared),
        "--run",
        str(tmp_path / "run"),
        "--set",
        "model.name=some/encoder",
    ]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 3
    assert result.stderr.strip() == (
        "error: some/encoder is no folder and not in the cache of downloaded models, and the hub cannot be reached; "
        "fetch it where there is a network with `hf download some/encoder`."
    )
    assert not (tmp_path / "run").exists()


def test_a_dry_run_counts_the_steps_that_training_takes(prepared, wav2vec2):
    settings = experiment(wav2vec2, gradient_accumulation_steps=2, max_seconds_per_batch=12)
    parts = read_splits(settings, open_prepared(prepared))
    found = survey(settings, parts["train"].table)
    learner = of_waveforms(settings, pretrained(settings), open_prepared(prepared), tables_of(parts), CPU)
    assert found["steps_per_epoch"] == -(-len(learner.batches) // 2)
    assert found["padding_share"] == pytest.approx(learner.batches.padding_share(), abs=1e-3)


def test_what_only_spectrograms_take_is_refused_for_an_encoder():
    for values, words in (
        (
            {"model": {"name": "some/encoder", "kind": "functionals"}},
            "must leave model.kind as it is where model.name is set",
        ),
        (
            {"augmentation": {"num_time_masks": 1}},
            "must leave masks, shift_seconds and normalisation to models of spectrograms",
        ),
        (
            {"training": {"max_seconds_per_batch": 2}},
            "training.max_seconds_per_batch must be at least data.window_seconds (3)",
        ),
        (
            {"training": {"class_balancing": "sampler", "max_seconds_per_batch": 95}},
            "data.window_seconds x training.batch_size (96)",
        ),
    ):
        with pytest.raises(UsageError) as error:
            AudioSettings.make({"model": {"name": "some/encoder"}, **values})
        assert words in str(error.value)


@pytest.mark.parametrize(
    ("encoder", "name"),
    [("microsoft/wavlm-base-plus", "wavlm-base-plus"), ("./my model/", "mymodel"), ("..", "encoder")],
)
def test_an_experiment_without_a_name_is_called_after_its_encoder(encoder, name):
    assert AudioSettings.make({"model": {"name": encoder}}).name == name
    assert AudioSettings.make({"model": {"name": encoder}, "name": "mine"}).name == "mine"
    assert AudioSettings().name == "acrnn"
