"""Fixtures of the tests of own data: tables and recordings made on the spot."""

from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
import soundfile


@pytest.fixture
def record() -> Callable[..., Path]:
    """Writes a recording of noise, by default 0.1 s at 16 kHz."""

    def write(path: Path, sample_rate: int = 16_000) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        random = numpy.random.default_rng(len(str(path)) + sum(map(ord, path.stem)))
        soundfile.write(path, random.uniform(-0.5, 0.5, sample_rate // 10), sample_rate, subtype="PCM_16")
        return path

    return write
