"""Audio runs with ONNX Runtime: the probabilities of torch, without the time of its import."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
import soundfile

from emokit.audio.modality import AUDIO
from emokit.audio.predictor import AudioPredictor
from emokit.audio.readers import reader_of, without_onnx
from emokit.audio.settings import AudioSettings
from emokit.data.prepared import open_prepared
from emokit.errors import DataError
from emokit.modality import registry
from tests.engines.conftest import IMPORTED

pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
pytest.importorskip("onnxscript", reason="the extra onnx is not installed")

TOLERANCE = 1e-4
LEAST = "pandas sklearn librosa matplotlib torchaudio datasets onnx accelerate"  # that no prediction of audio imports


@pytest.fixture(scope="module")
def functionals_run(
    small_prepared: Path, small_settings_of: Callable[[str], dict], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    run = tmp_path_factory.mktemp("functionals") / "run"
    settings = AudioSettings.make(small_settings_of("functionals"))
    AUDIO.train(settings, open_prepared(small_prepared), run, device="cpu")
    return run


@pytest.fixture(scope="module")
def small_settings_of() -> Callable[[str], dict]:
    features = {"sample_rate": 16000, "n_fft": 512, "hop_length": 320, "n_mels": 32}

    def settings(kind: str) -> dict:
        return {"name": kind, "data": {"window_seconds": 1.5}, "features": features, "model": {"kind": kind}}

    return settings


@pytest.fixture(scope="module")
def run_of(acrnn_run: Path, functionals_run: Path) -> Callable[[str], Path]:
    return {"acrnn": acrnn_run, "functionals": functionals_run}.__getitem__


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> "pytest.MonkeyPatch":
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMOKIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield patch


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Of a part of a window, of two and of forty windows, and one that is missing."""
    folder, random = tmp_path_factory.mktemp("recordings"), numpy.random.default_rng(0)
    paths = [folder / f"{number}.wav" for number in range(3)]
    for path, seconds in zip(paths, (0.4, 2.0, 59.0), strict=True):
        soundfile.write(path, random.uniform(-0.5, 0.5, round(seconds * 16_000)), 16_000)
    return [*paths, folder / "missing.wav"]


@pytest.mark.parametrize("kind", ["acrnn", "functionals"])
def test_both_engines_give_the_same_probabilities_of_files_and_splits(
    run_of: Callable[[str], Path], recordings: list[Path], small_prepared: Path, kind: str
) -> None:
    by_torch, by_onnx = (AudioPredictor(run_of(kind), "cpu", engine) for engine in ("torch", "onnx"))
    assert by_onnx.notes == ()
    for expected, result in zip(by_torch.predict(recordings), by_onnx.predict(recordings), strict=True):
        if isinstance(expected, DataError):
            assert str(result) == str(expected)
            continue
        assert result.probabilities == pytest.approx(expected.probabilities, abs=TOLERANCE)
        assert result.as_dict().keys() == expected.as_dict().keys()
        assert [window.start_seconds for window in result.windows] == [w.start_seconds for w in expected.windows]
        for ours, theirs in zip(result.windows, expected.windows, strict=True):
            assert ours.probabilities == pytest.approx(theirs.probabilities, abs=TOLERANCE)
    prepared = open_prepared(small_prepared)
    (of_torch, _), (of_onnx, _) = (predictor.predict_split(prepared, "test") for predictor in (by_torch, by_onnx))
    columns = of_torch.labels.columns
    assert of_onnx.table[columns].to_numpy() == pytest.approx(of_torch.table[columns].to_numpy(), abs=TOLERANCE)


def test_with_onnx_there_are_embeddings_too(run_of: Callable[[str], Path], recordings: list[Path]) -> None:
    by_torch, by_onnx = (AudioPredictor(run_of("acrnn"), "cpu", engine) for engine in ("torch", "onnx"))
    for expected, result in zip(by_torch.embed(recordings[:2], 3), by_onnx.embed(recordings[:2], 3), strict=True):
        assert numpy.array_equal(result.vectors, expected.vectors)


@pytest.mark.parametrize(
    ("kind", "engine", "unneeded"),
    [
        ("acrnn", "torch", f"transformers {LEAST}"),
        ("functionals", "torch", f"transformers {LEAST}"),
        ("acrnn", "onnx", f"torch transformers {LEAST}"),
        ("acrnn", "auto", f"torch transformers {LEAST}"),
        ("functionals", "onnx", f"torch transformers {LEAST}"),
    ],
)
def test_a_prediction_imports_only_what_it_needs(
    run_of: Callable[[str], Path], recordings: list[Path], kind: str, engine: str, unneeded: str
) -> None:
    run = run_of(kind)
    AudioPredictor(run, "cpu", "onnx")  # the export is made, with torch
    words = ["predict", str(run), str(recordings[0]), "--engine", engine, "--device", "cpu"]
    surroundings = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, unneeded, *words], env=surroundings, capture_output=True, text=True
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.count("\n") == 2


def test_models_without_an_engine_are_named(small_settings_of: Callable[[str], dict]) -> None:
    probe = {**small_settings_of("probe"), "model": {"kind": "probe", "name": "whisper"}}
    del probe["features"]
    assert without_onnx(AudioSettings.make(probe)) is None
    probe["model"]["functionals"] = True
    assert without_onnx(AudioSettings.make(probe)) == "a probe with functionals has no ONNX engine"
    probe = {**probe, "model": {"kind": "probe", "name": "whisper"}, "data": {"speaker_normalisation": True}}
    assert without_onnx(AudioSettings.make(probe)) == (
        "layers of a probe that are standardised by speaker have no ONNX engine"
    )
    by_speaker = small_settings_of("functionals")
    by_speaker["data"]["speaker_normalisation"] = True
    expected = "functionals that are standardised by speaker have no ONNX engine"
    assert without_onnx(AudioSettings.make(by_speaker)) == expected
    for kind in ("acrnn", "functionals"):
        settings = AudioSettings.make(small_settings_of(kind))
        assert without_onnx(settings) is None
        assert callable(reader_of(settings).predict_rows)


def test_the_engine_is_an_option_in_python_too(run_of: Callable[[str], Path], recordings: list[Path]) -> None:
    by_torch, by_onnx = (registry.load(run_of("acrnn"), "cpu", engine=engine) for engine in ("torch", "onnx"))
    (expected,), (result,) = by_torch.predict(recordings[:1]), by_onnx.predict(recordings[:1])
    assert result.probabilities == pytest.approx(expected.probabilities, abs=TOLERANCE)
