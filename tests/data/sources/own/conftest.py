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


@pytest.fixture
def save() -> Callable[..., Path]:
    """Saves a data set: `save(folder, {"text": ["a"], "label": [0]}, features, test=…)`, without encoding audio."""
    import datasets
    import pyarrow

    def write(folder: Path, columns: dict, features: object, **splits: dict) -> Path:
        def data(values: dict, name: str) -> datasets.Dataset:
            stream = folder.with_name(f"{folder.name}-{name}.arrow")
            table = pyarrow.Table.from_pydict(values, schema=features.arrow_schema)
            with pyarrow.OSFile(str(stream), "wb") as file, pyarrow.ipc.new_stream(file, table.schema) as writer:
                writer.write_table(table)
            return datasets.Dataset.from_file(str(stream))

        datasets.disable_progress_bars()
        if not splits:
            data(columns, "all").save_to_disk(str(folder))
            return folder
        parts = {"train": columns, **splits}
        datasets.DatasetDict({name: data(values, name) for name, values in parts.items()}).save_to_disk(str(folder))
        return folder

    return write


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of recordings written from bytes."""
    monkeypatch.setenv("EMOKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
