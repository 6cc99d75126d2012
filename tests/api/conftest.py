"""Runs that tests of the Python functions share: read-only."""

from pathlib import Path

import pytest

from emokit.api.functions import train
from emokit.api.run import Run

FEATURES = {"sample_rate": 16000, "n_fft": 512, "hop_length": 320, "n_mels": 32}
FUNCTIONALS = {"name": "small", "model.kind": "functionals", "features": FEATURES, "data.window_seconds": 1.5}


@pytest.fixture(scope="session")
def audio_run(small_prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Functionals of the small EmoDB."""
    run = tmp_path_factory.mktemp("audio") / "run"
    return train("audio", data=small_prepared, run=run, settings=FUNCTIONALS, device="cpu")


@pytest.fixture(scope="session")
def text_run(text_prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A bag of words of synthesised comments."""
    run = tmp_path_factory.mktemp("text") / "run"
    return train("text", data=text_prepared, run=run, settings={"model": {"kind": "tfidf"}}, device="cpu")


@pytest.fixture(scope="session")
def recordings(small_prepared: Path) -> list[Path]:
    """The recordings of the small EmoDB."""
    return sorted((small_prepared.parent / "emodb").rglob("*.wav"))
