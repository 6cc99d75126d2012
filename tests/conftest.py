"""What several tests share: the folder of real corpora, where there is one, and a small made one."""

import itertools
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy
import pytest
import soundfile


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of real corpora that EMOKIT_CORPORA names; tests on it skip, in words, where it is not set."""
    folder = os.environ.get("EMOKIT_CORPORA")
    if not folder:
        pytest.skip("EMOKIT_CORPORA names no folder of real corpora")
    path = Path(folder).resolve()
    if not path.is_dir():
        pytest.skip(f"EMOKIT_CORPORA names {folder}, which is no folder")
    return path


@pytest.fixture(scope="session")
def write_emodb() -> Callable[..., list[Path]]:
    """Writes a small EmoDB: noise of 0.2 s under the names of all speakers, texts and emotions given."""

    def write(
        root: Path, speakers: Sequence[str] = ("03", "08", "09"), texts: Sequence[str] = ("a01",), emotions: str = "WFN"
    ) -> list[Path]:
        random = numpy.random.default_rng(sum(map(int, speakers)))
        (root / "wav").mkdir(parents=True, exist_ok=True)
        paths = [
            root / "wav" / f"{speaker}{text}{emotion}a.wav"
            for speaker, text, emotion in itertools.product(speakers, texts, emotions)
        ]
        for path in paths:
            soundfile.write(path, random.uniform(-0.5, 0.5, 3200), 16_000, subtype="PCM_16")
        return paths

    return write


@pytest.fixture(scope="session")
def small_prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared folder of a small synthesised EmoDB, with features of 32 mels; read it, do not write to it."""
    from emokit.audio.features import LogMel
    from emokit.audio.settings import FeatureSettings
    from emokit.data.catalogue import read_catalogue, with_roots
    from emokit.data.prepare import Plan, prepare
    from emokit.data.splits import SplitSettings
    from emokit.data.synth import write_corpus

    folder = tmp_path_factory.mktemp("small")
    write_corpus("emodb", folder / "emodb", size=0.5)
    features = FeatureSettings.make(SMALL_FEATURES)
    corpora = with_roots(read_catalogue(), ["emodb"], [f"emodb={folder / 'emodb'}"])
    prepare(Plan(tuple(corpora), features, SplitSettings()), folder / "prepared", LogMel(features))
    return folder / "prepared"


@pytest.fixture
def small_settings() -> dict:
    """An audio experiment that trains on `small_prepared` in a second or two; make `AudioSettings` of it."""
    return {
        "name": "small",
        "data": {"window_seconds": 1.5},
        "features": dict(SMALL_FEATURES),
        "model": {"channels": [4, 8], "lstm_size": 8, "attention_heads": 2, "head_size": 8},
        "training": {"max_epochs": 3, "batch_size": 16, "lr": 0.005},
    }


SMALL_FEATURES = {"sample_rate": 16000, "fft_length": 512, "hop_length": 320, "num_mels": 32}
