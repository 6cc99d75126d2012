"""What killed processes leave is ignored and removed; what running ones write is not."""

from pathlib import Path

import pytest

from emokit.errors import UsageError
from emokit.files import is_empty, new_folder, write_text
from emokit.temporary import remove_temporary, temporary_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


DEAD = 999_999_999  # the id of no process


@pytest.mark.parametrize("folder", [False, True])
def test_temporary_files_of_killed_processes_are_ignored_and_those_of_running_ones_are_not(
    tmp_path: Path, folder: bool
) -> None:
    make = Path.mkdir if folder else Path.touch
    for name in (f".settings.yaml.{DEAD}.part", f".settings.yaml.{DEAD}@elsewhere.part", ".lock"):
        make(tmp_path / name)
    assert is_empty(tmp_path)
    new_folder(tmp_path, force=False, what="settings.yaml")
    assert names(tmp_path) == [".lock"]
    make(temporary_path(tmp_path / "a.txt"))
    assert not is_empty(tmp_path)
    with pytest.raises(UsageError, match="is not empty"):
        new_folder(tmp_path, force=False, what="settings.yaml")
    remove_temporary(tmp_path, locked=True)
    assert names(tmp_path) == [f"{temporary_path(tmp_path / 'a.txt').name}", ".lock"]


def test_writing_a_file_removes_what_killed_processes_left_of_it(tmp_path: Path) -> None:
    for name in (f".[a].csv.{DEAD}.part", f".b.csv.{DEAD}.part", f".[a].csv.{DEAD}@elsewhere.part", ".[a].csv.part"):
        (tmp_path / name).touch()
    write_text(tmp_path / "[a].csv", "x")
    assert names(tmp_path) == [f".[a].csv.{DEAD}@elsewhere.part", ".[a].csv.part", f".b.csv.{DEAD}.part", "[a].csv"]
