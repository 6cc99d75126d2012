"""The names of a run folder: every run has only these, so that it can be replaced with --force."""

from pathlib import Path

import pytest

from emokit.errors import UsageError
from emokit.files import refuse_foreign
from emokit.run_files import NAMES

RUNS = ("audio", "text", "late-fusion")


@pytest.mark.end_to_end
def test_every_run_has_only_known_names(modality_runs: Path) -> None:
    for name in RUNS:
        refuse_foreign(modality_runs / name, NAMES)


def test_anything_else_is_the_users(tmp_path: Path) -> None:
    for name in ("settings.yaml", ".lock", ".DS_Store", "journal.log.lock", "seed-3"):
        (tmp_path / name).touch()
    refuse_foreign(tmp_path, NAMES)
    refuse_foreign(tmp_path / "none", NAMES)
    (tmp_path / ".git").mkdir()
    with pytest.raises(UsageError) as error:
        refuse_foreign(tmp_path, NAMES)
    assert str(error.value) == (
        f"{tmp_path}/.git is no part of the result that --force deletes; move it out of {tmp_path}, or name another "
        "folder."
    )
