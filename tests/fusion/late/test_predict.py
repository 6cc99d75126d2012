"""A fused run asked about new utterances: its branches are asked, and what they say is fused as on dev."""

import shutil

import av
import numpy
import pytest
import torch
import yaml
from emokit.fusion.late.predict import load_model, predict_clip, predict_split

from emokit import predictions, runs
from emokit.audio import predict as audio
from emokit.audio.settings import AudioSettings
from emokit.audio.train import train
from emokit.data.prepared import open_prepared
from emokit.errors import DataError
from emokit.fusion.late.combine import tempered
from emokit.fusion.late.run import fuse
from emokit.fusion.late.settings import FusionSettings
from emokit.text import predict as text
from emokit.text.settings import TextSettings
from emokit.text.train import train as train_text
from emokit.vision import predict

pytestmark = pytest.mark.end_to_end
CPU = torch.device("cpu")
SENTENCE = "Der Lappen liegt auf dem Eisschrank."


@pytest.fixture(scope="module")
def folder(small_prepared, tmp_path_factory):
    """Runs of sound and of text on the small prepared folder, a table of faces, and the three fused."""
    folder = tmp_path_factory.mktemp("fused")
    prepared = open_prepared(small_prepared)
    settings = {
        "data": {"window_seconds": 1.5},
        "features": {"sample_rate": 16000, "n_fft": 512, "hop_length": 320, "n_mels": 32},
        "model": {"channels": [4, 8], "lstm_hidden_size": 8, "num_attention_heads": 2, "classifier_hidden_size": 8},
        "training": {"max_epochs": 1, "batch_size": 16},
    }
    train(AudioSettings.make(settings), prepared, folder / "a", device="cpu")
    words = TextSettings.make({"model": {"kind": "tfidf"}, "data": {"corpora": ["emodb"]}})
    train_text(words, prepared, folder / "t", device="cpu")
    said = [predictions.read(folder / "a" / "predictions" / f"{split}.parquet") for split in ("dev", "test")]
    for one, split in zip(said, ("dev", "test"), strict=True):
        faces = predictions.Predictions(one.table, predict.NAME, one.fingerprint)
        predictions.write(faces, folder / f"face-{split}.parquet")
    settings = FusionSettings.make({"fusion": {"step": 0.25, "resamples": 100, "folds": 2, "choice": "equal"}})
    paths = {"audio": [folder / "a"], "text": [folder / "t"]}
    paths["vision"] = [folder / "face-dev.parquet", folder / "face-test.parquet"]
    fuse(settings, paths, folder / "fused")
    return folder


@pytest.fixture
def clip(small_prepared):
    return sorted((small_prepared.parent / "emodb").rglob("*.wav"))[0]


def by_hand(folder, said):
    """Equal weights over what is said, each with its own temperature, then the last one."""
    result = FusionSettings.read(folder / "fused" / "settings.yaml").result
    warm = [tempered(probabilities, result.temperatures[name]) for name, probabilities in said.items()]
    pooled = numpy.mean(warm, axis=0) if result.pooling == "linear" else numpy.exp(numpy.log(warm).mean(axis=0))
    return tempered(pooled / pooled.sum(), result.temperature)


def test_a_clip_and_its_sentence_are_fused_as_on_dev(folder, clip):
    model = load_model(folder / "fused", CPU)
    found, asked = predict_clip(model, clip, SENTENCE, CPU)
    heard = audio.hear(audio.load_model(folder / "a", CPU), clip, CPU).probabilities
    read = next(text.predict_texts(text.load_classifier(folder / "t", CPU), [("a", SENTENCE)]))[2]
    assert asked == ["audio", "text"]
    assert found == pytest.approx(by_hand(folder, {"audio": heard, "text": read}), abs=1e-6)
    alone, asked = predict_clip(model, clip, None, CPU)
    assert asked == ["audio"]
    assert alone == pytest.approx(by_hand(folder, {"audio": heard}), abs=1e-6)
    alone, asked = predict_clip(model, None, SENTENCE, CPU)
    assert asked == ["text"]
    assert alone == pytest.approx(by_hand(folder, {"text": read}), abs=1e-6)


def test_a_branch_that_cannot_be_asked_says_why(folder):
    model = load_model(folder / "fused", CPU)
    assert [branch.name for branch in model.branches] == ["audio", "text"]
    assert list(model.silent) == ["vision"]
    assert model.silent["vision"].startswith("DeepFace ")


def test_faces_are_asked_where_deepface_is_there(folder, tmp_path, monkeypatch):
    happy = numpy.full(7, 0.1)
    happy[3] = 0.4
    monkeypatch.setattr(predict, "deepface", lambda: lambda _: happy)
    model = load_model(folder / "fused", CPU)
    assert model.silent == {}
    clip = tmp_path / "face.mkv"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("ffv1", rate=5)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "bgr0"
        frame = av.VideoFrame.from_ndarray(numpy.zeros((16, 16, 3), numpy.uint8), format="rgb24")
        sound = container.add_stream("pcm_s16le", rate=16000)
        noise = numpy.random.default_rng(0).integers(-9000, 9000, (1, 16000)).astype(numpy.int16)
        waves = av.AudioFrame.from_ndarray(noise, layout="mono")
        waves.sample_rate = 16000
        for packet in [*stream.encode(frame), *stream.encode(), *sound.encode(waves), *sound.encode()]:
            container.mux(packet)
    found, asked = predict_clip(model, clip, None, CPU)
    heard = audio.hear(audio.load_model(folder / "a", CPU), clip, CPU).probabilities
    assert asked == ["audio", "vision"]
    assert found == pytest.approx(by_hand(folder, {"audio": heard, "vision": happy}), abs=1e-6)


def test_a_split_is_fused_as_in_the_run(folder, small_prepared, tmp_path):
    settings = FusionSettings.make({"fusion": {"step": 0.25, "resamples": 100, "folds": 2, "choice": "equal"}})
    fuse(settings, {"audio": [folder / "a"], "text": [folder / "t"]}, folder / "two")
    model = load_model(folder / "two", CPU)
    counts = predict_split(model, small_prepared, "dev", tmp_path / "dev.parquet", CPU)
    before = predictions.read(folder / "two" / "predictions" / "dev.parquet")
    after = predictions.read(tmp_path / "dev.parquet")
    assert counts["used"] == len(after.table) == len(before.table)
    assert after.probabilities == pytest.approx(before.probabilities, abs=1e-6)
    assert after.fingerprint == open_prepared(small_prepared).fingerprint


def test_nothing_that_a_branch_can_judge_is_refused(folder):
    with pytest.raises(DataError) as error:
        predict_clip(load_model(folder / "fused", CPU), None, None, CPU)
    assert str(error.value) == (
        "No branch can judge what was given; the run has audio (audio), text (text): name a clip, or a sentence with --text."
    )


def test_runs_that_moved_away_are_named(folder, tmp_path):
    shutil.copytree(folder / "fused", tmp_path / "fused")
    with pytest.raises(DataError) as error:
        load_model(tmp_path / "fused", CPU)
    assert str(error.value).startswith(
        f"None of the branches of {tmp_path / 'fused'} can be asked; the first: audio comes from"
    )


def test_a_run_without_a_result_is_refused(folder, tmp_path):
    shutil.copytree(folder / "fused", tmp_path / "fused")
    settings = runs.read_settings(tmp_path / "fused")
    settings["result"] = None
    (tmp_path / "fused" / "settings.yaml").write_text(yaml.safe_dump(settings))
    with pytest.raises(DataError) as error:
        load_model(tmp_path / "fused", CPU)
    assert str(error.value) == (
        f"{tmp_path / 'fused' / 'settings.yaml'} has no result; make the run again with `emokit fuse-search … --force`."
    )
