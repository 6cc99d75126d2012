from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from emokit.errors import MemoryFull
from emokit.sweep.train_point import train_point


def test_a_point_is_trained_by_its_modality_without_test(
    toy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []

    def open_prepared(folder: Path) -> SimpleNamespace:
        opened.append(folder)
        return SimpleNamespace(folder=folder)

    monkeypatch.setattr("emokit.data.prepared.open_prepared", open_prepared)
    toy.TOY.calls.clear()
    train = train_point("toy", tmp_path / "prepared", "cpu", "float32")
    settings = toy.ToySettings.make({"training": {"max_epochs": 2}})
    lines: list[dict[str, Any]] = []
    for name in ("0000", "0001"):
        train(settings, tmp_path / name, lines.append)
    assert opened == [tmp_path / "prepared"]  # once for both points
    assert [line["epoch"] for line in lines] == [1, 2, 1, 2]
    assert [call[2].name for call in toy.TOY.calls] == ["0000", "0001"]
    for made_with, prepared, _, arguments in toy.TOY.calls:
        assert (made_with, prepared.folder) == (settings, tmp_path / "prepared")
        assert (arguments["device"], arguments["precision"], arguments["resume"]) == ("cpu", "float32", True)
        assert arguments["held_out"] == ("dev",)


def test_a_full_memory_outside_of_the_loop_is_a_sentence_too(
    toy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr("emokit.data.prepared.open_prepared", lambda folder: SimpleNamespace(folder=folder))
    monkeypatch.setattr(toy.TOY, "train", full)
    train = train_point("toy", tmp_path / "prepared", "cpu", "float32")
    with pytest.raises(MemoryFull) as error:
        train(toy.ToySettings.make({}), tmp_path / "run", lambda line: None)
    assert str(error.value) == (
        "Out of memory while the run was trained or scored; free memory and add --resume, or train a smaller model."
    )
