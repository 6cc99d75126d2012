"""Prediction: windows are averaged, a clip alone equals the clip in company, a run folder gives back its own predictions."""

import numpy
import pytest
import soundfile
import torch
from emokit.audio.predict import find_recordings, load_model, predict_files, predict_split, probabilities
from transformers.modeling_outputs import SequenceClassifierOutput

from emokit import predictions
from emokit.audio.settings import AudioSettings, FeatureSettings
from emokit.audio.spectrogram.acrnn import AcrnnConfig, AcrnnForAudioClassification
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.audio.train import train
from emokit.data.prepared import open_prepared
from emokit.errors import DataError, UsageError

CPU = torch.device("cpu")
SMALL = {"sample_rate": 16000, "n_fft": 512, "hop_length": 320, "n_mels": 32}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    config = AcrnnConfig(
        n_mels=32,
        channels=(4, 8),
        lstm_hidden_size=8,
        num_attention_heads=2,
        classifier_hidden_size=8,
        window_frames=40,
        features=SMALL,
    )
    return AcrnnForAudioClassification(config).eval()


class FirstBin(torch.nn.Module):
    """Logits that are the first frame's first seven bins, so that the mean over windows can be worked out by hand."""

    def forward(self, input_features):
        return SequenceClassifierOutput(logits=input_features[:, 0, :7])


def test_the_windows_of_a_long_utterance_are_averaged():
    log_mel = numpy.zeros((20, 8), numpy.float32)
    log_mel[0, 0] = log_mel[10, 1] = numpy.log(8)  # two windows: one says the first class, one the second
    found = probabilities(FirstBin(), [log_mel], 10, CPU)
    sure, unsure = 8 / 14, 1 / 14
    assert found[0].tolist() == pytest.approx([(sure + unsure) / 2] * 2 + [unsure] * 5)


def test_logits_are_made_exact_on_the_processor(monkeypatch):
    # An Apple GPU has no numbers of 64 bits: `double` is for what was moved to the processor before.
    moved, cpu, double = [], torch.Tensor.cpu, torch.Tensor.double

    def to_the_processor(tensor):
        moved.append(cpu(tensor).clone())
        return moved[-1]

    def exact(tensor):
        assert any(tensor is one for one in moved)
        return double(tensor)

    monkeypatch.setattr(torch.Tensor, "cpu", to_the_processor)
    monkeypatch.setattr(torch.Tensor, "double", exact)
    found = probabilities(FirstBin(), [numpy.zeros((10, 8), numpy.float32)], 10, CPU)
    assert found.sum() == pytest.approx(1)


def test_a_clip_alone_gets_the_same_probabilities_as_in_a_batch_with_longer_ones(model):
    random = numpy.random.default_rng(0)
    log_mels = [random.normal(-40, 10, (frames, 32)).astype(numpy.float32) for frames in (1, 7, 40, 41, 200, 3)]
    together = probabilities(model, log_mels, 40, CPU)
    assert together.sum(axis=1) == pytest.approx(numpy.ones(6))
    for row, log_mel in enumerate(log_mels):
        assert probabilities(model, [log_mel], 40, CPU)[0] == pytest.approx(together[row], abs=1e-6)


def test_a_sound_file_is_heard_at_the_models_own_rate(model, tmp_path):
    time = numpy.arange(32000) / 32000
    tone = (0.3 * numpy.sin(2 * numpy.pi * 440 * time)).astype(numpy.float32)
    soundfile.write(tmp_path / "fast.wav", numpy.stack([tone, tone], axis=1), 32000)
    soundfile.write(tmp_path / "slow.flac", tone[::2], 16000)
    (fast, first), (slow, second) = predict_files(model, [tmp_path / "fast.wav", tmp_path / "slow.flac"], CPU)
    assert (fast.name, slow.name) == ("fast.wav", "slow.flac")
    assert first.probabilities == pytest.approx(second.probabilities, abs=5e-3)


def test_a_clip_shorter_than_one_frame_gets_seven_probabilities(model, tmp_path):
    soundfile.write(tmp_path / "click.wav", numpy.full(100, 0.5), 16000)
    ((_, found),) = predict_files(model, [tmp_path / "click.wav"], CPU)
    assert found.probabilities.shape == (7,)
    assert found.probabilities.sum() == pytest.approx(1)


def test_a_folder_is_its_sound_files_in_order(tmp_path):
    for name in ("b.wav", "a/c.FLAC", "note.txt", ".hidden.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert find_recordings([tmp_path]) == [tmp_path / "b.wav", tmp_path / "a/c.FLAC"]
    assert find_recordings([tmp_path / "b.wav"]) == [tmp_path / "b.wav"]


def test_what_is_not_there_or_holds_no_sound_is_named(tmp_path):
    for path, sentence in (
        (tmp_path / "none.wav", f"{tmp_path / 'none.wav'} is not there; name a sound file or a folder of them."),
        (tmp_path, f"{tmp_path} holds no sound file; name another folder."),
    ):
        with pytest.raises(DataError) as error:
            find_recordings([path])
        assert str(error.value) == sentence


def test_a_bad_file_does_not_stop_the_others(model, tmp_path):
    soundfile.write(tmp_path / "a.wav", [0.0] * 16000, 16000)
    soundfile.write(tmp_path / "b.wav", numpy.full(1600, 0.5), 16000)
    (_, first), (_, second) = predict_files(model, [tmp_path / "a.wav", tmp_path / "b.wav"], CPU)
    assert isinstance(first, DataError)
    assert str(first).startswith(f"{tmp_path / 'a.wav'} is silent")
    assert second.probabilities.shape == (7,)


def test_nothing_to_predict_is_said(model):
    with pytest.raises(DataError) as error:
        probabilities(model, [], 40, CPU)
    assert str(error.value) == "There is no utterance to predict; name at least one."


@pytest.mark.end_to_end
def test_a_run_predicts_a_split_as_it_did_when_it_was_trained(small_prepared, small_settings, tmp_path):
    small_settings["training"]["max_epochs"] = 1
    run = tmp_path / "run"
    train(AudioSettings.make(small_settings), open_prepared(small_prepared), run, device="cpu")
    loaded = load_model(run, CPU)
    count = predict_split(loaded, run, small_prepared, "test", tmp_path / "again.parquet", CPU)
    before, again = predictions.read(run / "predictions/test.parquet"), predictions.read(tmp_path / "again.parquet")
    assert count == len(before.table)
    assert before.table.equals(again.table)
    assert again.model == "small"
    with pytest.raises(UsageError) as error:
        predict_split(loaded, run, small_prepared, "tset", tmp_path / "x.parquet", CPU)
    assert str(error.value) == "--split tset is unknown; choose one of train, dev, test."

    # A file of the corpus gives what the split gave: float16 features on disk are the only difference.
    row = before.table.iloc[0]
    table = open_prepared(small_prepared).table.set_index("utterance_id")
    sound = small_prepared.parent / "emodb" / table.loc[row["utterance_id"], "path"]
    ((_, found),) = predict_files(loaded, [sound], CPU)
    assert found.probabilities == pytest.approx(
        row[[f"p_{label}" for label in loaded.config.label2id]].to_numpy(float), abs=1e-2
    )

    (run / "model/model.safetensors").write_bytes(b"cut short")
    with pytest.raises(DataError) as damaged:
        load_model(run, CPU)
    assert str(damaged.value).startswith(f"{run / 'model'} holds no whole model (")
    (run / "metrics.json").unlink()
    with pytest.raises(DataError) as incomplete:
        load_model(run, CPU)
    assert (
        str(incomplete.value)
        == f"{run} has no metrics.json, so its training did not end; go on with it by adding --resume."
    )


def test_the_extractor_of_training_is_the_extractor_of_prediction(model):
    waveform = numpy.random.default_rng(1).normal(size=8000).astype(numpy.float32) * 0.1
    settings = FeatureSettings.make(model.config.features)
    assert settings == FeatureSettings.make(SMALL)
    assert LogMel(settings)(waveform).shape == (26, 32)
