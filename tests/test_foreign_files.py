"""Files of the user's in a result's folder, and in its subfolders."""

from pathlib import Path

import pytest

from emokit.errors import UsageError
from emokit.foreign_files import refuse_foreign
from emokit.run_files import NAMES


def test_anything_else_is_the_users(tmp_path: Path) -> None:
    for name in ("settings.yaml", ".lock", ".DS_Store", "journal.log.lock"):
        (tmp_path / name).touch()
    (tmp_path / "seed-3").mkdir()
    refuse_foreign(tmp_path, NAMES)
    refuse_foreign(tmp_path / "none", NAMES)
    (tmp_path / ".git").mkdir()
    with pytest.raises(UsageError) as error:
        refuse_foreign(tmp_path, NAMES)
    assert str(error.value) == (
        f"{tmp_path}/.git is no part of the result that --force deletes; move it out of {tmp_path}, or name another "
        "folder."
    )


@pytest.mark.parametrize(
    "name",
    [
        "model/notes.txt",
        "predictions/mine.csv",
        "tensorboard/notes.txt",
        "checkpoints/epoch3.pt",
        "checkpoints/last/notes.txt",
        "onnx/notes.txt",
        "folds/01-03/notes.txt",
        "folds/01-03/model/notes.txt",
        "folds/notes.txt/x",
        "workers/notes.txt",
        "figures/notes.txt",
        "seed-1/notes.txt",
        "trials/0001/notes.txt",
        "trials/0001/seed-1/predictions/mine.csv",
        "confirm/0001/seed-1/notes.txt",
    ],
)
def test_what_is_in_a_subfolder_is_the_users_too(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).touch()
    with pytest.raises(UsageError) as error:
        refuse_foreign(tmp_path, NAMES)
    assert str(error.value) == (
        f"{tmp_path / name} is no part of the result that --force deletes; move it out of {tmp_path}, or name another "
        "folder."
    )


def test_the_files_of_folds_points_and_figures_are_known(tmp_path: Path) -> None:
    for name in (
        "folds/01-03/model/vocab.txt",
        "folds/01-03/.lock",
        "trials/0001/seed-1/checkpoints/last/state.pt",
        "trials/0001/metrics.json",
        "confirm/0001/seed-1/predictions/dev.parquet",
        "workers/0.log",
        "figures/weights.svg",
        "tensorboard/events.out.tfevents.1",
        "model/.DS_Store",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    refuse_foreign(tmp_path, NAMES)
