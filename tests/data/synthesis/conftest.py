"""Fixtures of the tests of synthesised corpora."""

from pathlib import Path

import pytest

from emokit.data.synthesis.corpora import LAYOUTS, write_corpus


@pytest.fixture(scope="session")
def synthesised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every corpus at size 0.2 and seed 0; tests must not write to it."""
    folder = tmp_path_factory.mktemp("synthesised")
    for name in LAYOUTS:
        write_corpus(name, folder / name, seed=0, size=0.2)
    return folder
