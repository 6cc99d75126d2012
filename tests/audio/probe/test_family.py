"""Probes: fitted in seconds on cached layers, stored whole, and the same for a file as for a split."""

import json
import shutil
from pathlib import Path

import numpy
import pytest
import torch
import yaml

from emokit import predictions, runs
from emokit.audio.feature_cache import read_waveform
from emokit.audio.linear.family import TOO_FEW
from emokit.audio.modality import AUDIO
from emokit.audio.predictor import AudioPredictor
from emokit.audio.probe.family import ProbeFamily
from emokit.audio.settings import AudioSettings
from emokit.data.prepared import open_prepared
from emokit.errors import DataError, UsageError
from emokit.labels import DEFAULT_LABELS

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def prepared(small_prepared, tmp_path_factory):
    """A copy, because layers are cached in it."""
    return open_prepared(shutil.copytree(small_prepared, tmp_path_factory.mktemp("copy") / "prepared"))


def experiment(encoder, *, data=None, **model):
    values = {"kind": "probe", "name": str(encoder)} | model
    return AudioSettings.make({"name": "probe", "data": {"window_seconds": 1.2} | (data or {}), "model": values})


@pytest.fixture(scope="module")
def run(encoder_of, prepared, tmp_path_factory):
    """A probe of a small Whisper with functionals; read-only."""
    run = tmp_path_factory.mktemp("probe") / "run"
    AUDIO.train(experiment(encoder_of("whisper"), functionals=True), prepared, run, device="cpu")
    return run


def path_of(prepared, utterance_id):
    row = prepared.table.set_index("utterance_id").loc[utterance_id]
    return Path(prepared.roots["emodb"]) / row["path"]


def test_a_probe_learns_and_stands_beside_its_baseline(run, prepared):
    metrics = json.loads((run / "metrics.json").read_text())
    assert (metrics["model"], metrics["epochs"]) == ("whisper", 0)
    assert metrics["splits"]["test"]["uar"] > 0.3
    assert "functionals" in metrics["splits"]["test"]["baselines"]["simple"]["description"]
    assert not (run / "log.jsonl").exists() or not (run / "log.jsonl").read_text()


def test_a_split_is_predicted_as_at_the_end_of_training(run, prepared):
    predictor = AudioPredictor(run, "cpu")
    again, _ = predictor.predict_split(prepared, "test")
    before = predictions.read(run / "predictions/test.parquet")
    columns = before.labels.columns
    assert again.table[columns].to_numpy() == pytest.approx(before.table[columns].to_numpy(), abs=1e-6)


def test_a_file_is_predicted_as_in_its_split(run, prepared):
    # The layers on disk are float16; nothing else differs.
    before = predictions.read(run / "predictions/test.parquet")
    predictor = AudioPredictor(run, "cpu")
    paths = [path_of(prepared, name) for name in before.table["utterance_id"][:5]]
    for result, (_, row) in zip(predictor.predict(paths), before.table.iterrows(), strict=False):
        assert result.probabilities == pytest.approx(row[before.labels.columns].to_numpy(float), abs=2e-2)


def test_the_layers_that_are_chosen_are_those_that_count(encoder_of, prepared):
    family = ProbeFamily()
    every = family.new_model(experiment(encoder_of("wav2vec2")), None, DEFAULT_LABELS)
    some = family.new_model(experiment(encoder_of("wav2vec2"), layers=[2, 0]), None, DEFAULT_LABELS)
    assert (every.linear.in_features, some.linear.in_features) == (3 * 2 * 16, 2 * 2 * 16)
    rows = prepared.table.head(2)
    all_values = family.vectors_of_rows(every, prepared, rows).values.reshape(-1, 3, 32)
    chosen = family.vectors_of_rows(some, prepared, rows).values.reshape(-1, 2, 32)
    assert (chosen == all_values[:, [2, 0]]).all()
    with pytest.raises(UsageError) as error:
        family.new_model(experiment(encoder_of("wav2vec2"), layers=[3]), None, DEFAULT_LABELS)
    assert str(error.value) == (
        f"model.layers has 3 and {encoder_of('wav2vec2')} has the layers 0 to 2; choose among them."
    )


@pytest.mark.parametrize("kind", ["wav2vec2", "whisper"])
def test_layers_that_an_encoder_lacks_are_refused_by_a_plan_as_by_a_training(encoder_of, prepared, tmp_path, kind):
    settings = experiment(encoder_of(kind), layers=[0, 3])
    expected = f"model.layers has 3 and {encoder_of(kind)} has the layers 0 to 2; choose among them."
    for attempt in (
        lambda: AUDIO.plan(settings, prepared),
        lambda: AUDIO.train(settings, prepared, tmp_path / "run", device="cpu"),
    ):
        with pytest.raises(UsageError) as error:
            attempt()
        assert str(error.value) == expected
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("kind", ["wav2vec2", "whisper"])
def test_the_model_alone_gives_the_logits_of_its_vectors(encoder_of, prepared, kind):
    family = ProbeFamily()
    model = family.new_model(experiment(encoder_of(kind)), None, DEFAULT_LABELS)
    torch.manual_seed(0)
    model.linear.weight.normal_(), model.linear.bias.normal_()
    path = path_of(prepared, prepared.table["utterance_id"].iloc[0])
    _, vectors, _ = family.vectors_of_recording(model, path)
    waveform = read_waveform(path, 16_000)[:19_200]
    other = numpy.random.default_rng(0).normal(0, 0.1, 9_000).astype(numpy.float32)
    with torch.inference_mode():
        logits = model(**model.processor([waveform, other])).logits[0]
        expected = model.classified(model.standardised(torch.from_numpy(vectors[:1])))[0]
    assert torch.allclose(logits, expected, atol=1e-3)


def test_with_dev_trained_on_it_is_predicted_by_inner_folds_and_declared(encoder_of, prepared, tmp_path):
    settings = experiment(encoder_of("wav2vec2"), data={"train_on_dev": True})
    AUDIO.train(settings, prepared, tmp_path / "run", device="cpu")
    metrics = json.loads((tmp_path / "run/metrics.json").read_text())
    assert metrics["declared"] == (
        "dev was trained on; its scores are those of inner folds over speakers (over utterances where speakers are unknown), "
        "on which the strength of regularisation was chosen too (data.train_on_dev)"
    )
    predictor = AudioPredictor(tmp_path / "run", "cpu")
    with pytest.raises(UsageError) as error:
        predictor.predict_split(prepared, "dev")
    assert str(error.value) == (
        f"The run was trained on the dev split of {prepared.folder} (data.train_on_dev); its predictions/dev.parquet has those "
        "of models that were not trained on the utterance."
    )
    predictor.predict_split(prepared, "test")


def test_a_single_recording_cannot_be_standardised_by_its_speaker_and_says_so(encoder_of, prepared, tmp_path):
    settings = experiment(encoder_of("wav2vec2"), data={"speaker_normalisation": True})
    AUDIO.train(settings, prepared, tmp_path / "run", device="cpu")
    predictor = AudioPredictor(tmp_path / "run", "cpu")
    paths = [path_of(prepared, name) for name in prepared.table["utterance_id"][:6]]
    (alone,) = predictor.predict(paths[:1])
    assert alone.flags == (TOO_FEW,)
    together = list(predictor.predict(paths))
    assert [prediction.flags for prediction in together] == [()] * 6
    assert numpy.abs(together[0].probabilities - alone.probabilities).max() > 1e-3


def test_settings_that_a_probe_does_not_use_are_named():
    unused = AUDIO.unused(experiment("some/encoder"))
    assert {"training", "augmentation", "model.frozen", "model.channels"} <= set(unused)
    assert not {"model.layers", "data.train_on_dev"} & set(unused)
    with pytest.raises(UsageError) as error:
        AudioSettings.make({"data": {"train_on_dev": True}})
    assert str(error.value).endswith(
        "must leave data.train_on_dev at its default for model.kind = acrnn, which chooses its epoch on dev."
    )


def test_layers_that_the_stored_encoder_lacks_are_refused(run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run")
    config = json.loads((folder / "model/config.json").read_text())
    (folder / "model/config.json").write_text(json.dumps(config | {"layers": [0, 1, 9]}))
    with pytest.raises(DataError) as error:
        ProbeFamily().load_model(folder / "model")
    assert str(error.value) == (
        f"{folder / 'model'} has a probe of the layers [0, 1, 9] of an encoder with the layers 0 to 2; "
        "train the run again with --force."
    )


def test_functionals_are_of_the_windows_of_the_encoder(encoder_of, prepared):
    family = ProbeFamily()
    model = family.new_model(experiment(encoder_of("wav2vec2"), functionals=True), None, DEFAULT_LABELS)
    rows = prepared.table
    model.config.features = prepared.feature_settings
    layers = family.vectors_of_rows(model, prepared, rows)
    assert numpy.bincount(layers.owners).max() > 1
    assert layers.values.shape[1] == model.linear.in_features
    path = path_of(prepared, rows["utterance_id"].iloc[0])
    _, of_file, _ = family.vectors_of_recording(model, path)
    assert of_file == pytest.approx(layers.values[layers.owners == 0], rel=0.05, abs=0.5)


def test_an_experiment_is_named_after_its_encoder(tmp_path):
    (tmp_path / "a.yaml").write_text(yaml.safe_dump({"model": {"kind": "probe", "name": "openai/whisper-tiny.en"}}))
    settings = AudioSettings.make(yaml.safe_load((tmp_path / "a.yaml").read_text()))
    assert settings.name == "whisper-tiny.en-probe"


def test_the_settings_of_the_log_mels_in_an_edited_config_are_checked(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "copy")
    path = copy / "model/config.json"
    config = json.loads(path.read_text())
    for features, fault in (
        ("x", ": should be a group of `key: value` lines."),
        (config["features"] | {"n_mels": 0}, " has n_mels = 0, but it should be greater than or equal to 8."),
        ({}, " has no top_db, with which it should end; make its folder again, or leave it out."),
    ):
        path.write_text(json.dumps(config | {"features": features}))
        with pytest.raises(DataError) as error:
            AudioPredictor(copy, "cpu")
        assert str(error.value).startswith(str(path))
        assert str(error.value) == f"{path}{fault}"


def test_an_export_has_the_logits_of_the_model(run, tmp_path):
    pytest.importorskip("onnxruntime")
    assert AUDIO.export(run, tmp_path / "onnx") < 1e-4
    about = json.loads((tmp_path / "onnx/emokit.json").read_text())
    assert set(about["inputs"]) == {"input_features", "attention_mask", "functionals"}
    assert runs.is_complete(run)
