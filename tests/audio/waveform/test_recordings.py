"""Exported speech encoders: their inputs and probabilities without transformers are those with it."""

from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
import soundfile

from emokit.audio.modality import AUDIO
from emokit.audio.predictor import AudioPredictor
from emokit.audio.settings import AudioSettings
from emokit.audio.waveform.processor import read_processor
from emokit.audio.waveform.recordings import FastProcessor
from emokit.data.prepared import open_prepared


@pytest.mark.parametrize("kind", ["wav2vec2", "whisper"])
def test_waveforms_become_the_inputs_that_transformers_makes(encoder_of: Callable[[str], Path], kind: str) -> None:
    processor = read_processor(encoder_of(kind), kind)
    fast = FastProcessor(processor.sample_rate, processor.facts())
    random = numpy.random.default_rng(0)
    waveforms = [random.normal(0, 0.1, length).astype(numpy.float32) for length in (16_000, 100, 12_345)]
    expected, result = processor(waveforms), fast(waveforms)
    assert result.keys() == expected.keys()
    for name, values in expected.items():
        assert result[name].shape == tuple(values.shape)
        assert result[name] == pytest.approx(values.numpy(), abs=2e-5)


@pytest.mark.parametrize("model", ["pretrained", "probe"])
@pytest.mark.parametrize("kind", ["wav2vec2", "whisper"])
def test_both_engines_give_the_same_probabilities(
    encoder_of: Callable[[str], Path],
    small_prepared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    model: str,
) -> None:
    pytest.importorskip("onnxscript", reason="the extra onnx is not installed")
    monkeypatch.setenv("EMOKIT_CACHE", str(tmp_path / "cache"))
    settings = AudioSettings.make(
        {
            "name": kind,
            "data": {"window_seconds": 1.5},
            "model": {"kind": model, "name": str(encoder_of(kind))},
            **({"training": {"max_epochs": 1, "batch_size": 16}} if model == "pretrained" else {}),
        }
    )
    AUDIO.train(settings, open_prepared(small_prepared), tmp_path / "run", device="cpu")
    paths = [tmp_path / "a.wav", tmp_path / "b.wav", tmp_path / "missing.wav"]
    for path, seconds in zip(paths[:2], (0.1, 4.0), strict=True):
        samples = numpy.random.default_rng(0).uniform(-0.5, 0.5, round(seconds * 16_000))
        soundfile.write(path, samples, 16_000)
    by_torch, by_onnx = (AudioPredictor(tmp_path / "run", "cpu", engine) for engine in ("torch", "onnx"))
    assert by_onnx.notes == ()
    expected, result = list(by_torch.predict(paths)), list(by_onnx.predict(paths))
    for ours, theirs in zip(result[:2], expected[:2], strict=True):
        assert ours.probabilities == pytest.approx(theirs.probabilities, abs=1e-4)
        assert [window.start_seconds for window in ours.windows] == [w.start_seconds for w in theirs.windows]
    assert str(result[2]) == str(expected[2])
