"""A journal is checked when it is opened, and unchanged where it is shown."""

import random
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from emokit.cli.app import app
from emokit.errors import DataError
from emokit.sweep.journal import UnchangedJournal, check_journal

LINE = b'{"op_code":0,"worker_id":"a","study_name":"s","directions":[2]}\n'
ENTRY = {"op_code": 0, "worker_id": "a", "study_name": "s", "directions": [2]}
TRIAL = b'{"op_code":4,"worker_id":"a","study_id":0,"datetime_start":null}\n'


def _state(trial: int, state: int) -> bytes:
    return b'{"op_code":6,"worker_id":"a","trial_id":%d,"state":%d,"values":null}\n' % (trial, state)


def test_a_journal_is_read_without_the_line_that_a_kill_left(tmp_path: Path) -> None:
    path = tmp_path / "journal.log"
    assert check_journal(path) == []
    for rest in (b"", b"{", LINE[:20]):
        path.write_bytes(LINE * 2 + rest)
        assert check_journal(path) == [ENTRY] * 2


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"\x93\xff", "its last line is none of a sweep"),
        (LINE + b"rest", "its last line is none of a sweep"),
        (LINE + b"\x93\xff\n", "line 2 is none of a sweep"),
        (b"[]\n", "line 1 is none of a sweep"),
        (b'{"op_code":"x"}\n', "line 1 is none of a sweep"),
        (b'{"op_code":true,"worker_id":"a"}\n', "line 1 is none of a sweep"),
        (b'{"op_code":99,"worker_id":"a"}\n', "line 1 is none of a sweep"),
        (b"\xef\xbb\xbf" + LINE, "line 1 is none of a sweep"),
        (b'{"op_code":0,"worker_id":"a","study_name":"s"}\n', "line 1 has no directions"),
        (b'{"op_code":0,"worker_id":"a","study_name":7,"directions":[2]}\n', "line 1 has study_name = 7"),
        (TRIAL, "line 1 names the unknown study 0"),
        (LINE + LINE + TRIAL.replace(b':0,"d', b':1,"d'), "line 3 names the unknown study 1"),
        (LINE + TRIAL.replace(b"null", b'null,"state":9'), "line 2 has the unknown state 9"),
        (LINE + TRIAL + _state(trial=0, state=7), "line 3 has the unknown state 7"),
        (LINE + TRIAL + _state(trial=5, state=1), "line 3 names the unknown trial 5"),
        (LINE + TRIAL + _state(trial=-1, state=1), "line 3 names the unknown trial -1"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, content: bytes, fault: str) -> None:
    path = tmp_path / "journal.log"
    path.write_bytes(content)
    with pytest.raises(DataError) as error:
        check_journal(path)
    assert str(error.value) == f"{path} is damaged ({fault}); sweep into another folder with --run."


def test_what_is_added_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.log"
    path.write_bytes(LINE)
    journal = UnchangedJournal(path)
    journal.append_logs([{"op_code": 1, "pair": (1, 2)}])
    assert list(journal.read_logs(1)) == [{"op_code": 1, "pair": [1, 2]}]
    assert path.read_bytes() == LINE


@pytest.mark.parametrize("change", ["attempt", "mark", "state"])
def test_neither_status_nor_resume_takes_or_changes_a_damaged_journal(sweep_folder: Path, change: str) -> None:
    path = sweep_folder / "journal.log"
    whole = path.read_bytes()
    content, fault = {
        "attempt": (whole.replace(b'"attempt":', b'"another":'), "its trials have no 'attempt'"),
        "mark": (b"\xef\xbb\xbf" + whole, "line 1 is none of a sweep"),
        "state": (whole.replace(b'"state":4', b'"state":7'), "line 3 has the unknown state 7"),
    }[change]
    assert content != whole
    path.write_bytes(content)
    for flag in ("--status", "--resume"):
        result = CliRunner().invoke(app, ["sweep", flag, str(sweep_folder)])
        assert (result.exit_code, result.stderr) == (
            3,
            f"error: {path} is damaged ({fault}); sweep into another folder with --run.\n",
        )
        assert path.read_bytes() == content


@pytest.mark.parametrize("flag", ["--status", "--resume"])
def test_a_sweep_that_lost_its_journal_or_its_settings_is_damaged(sweep_folder: Path, flag: str) -> None:
    journal, settings = sweep_folder / "journal.log", sweep_folder / "settings.yaml"
    (sweep_folder / "trials").mkdir()
    journal.rename(sweep_folder / "moved")
    result = CliRunner().invoke(app, ["sweep", flag, str(sweep_folder)])
    assert (result.exit_code, result.stderr) == (
        3,
        f"error: {journal} is damaged (it is gone, and points were trained); sweep into another folder with --run.\n",
    )
    journal.touch()
    result = CliRunner().invoke(app, ["sweep", flag, str(sweep_folder)])
    assert (result.exit_code, "(it is empty, and points were trained)" in result.stderr) == (3, True)
    (sweep_folder / "moved").rename(journal)
    content = yaml.safe_load(settings.read_text())
    del content["experiment"]["settings"]["training"]["seed"]
    settings.write_text(yaml.safe_dump(content))
    result = CliRunner().invoke(app, ["sweep", flag, str(sweep_folder)])
    assert (result.exit_code, result.stderr) == (
        3,
        f"error: {settings} has not all settings of its experiment; sweep into another folder with --run.\n",
    )


@pytest.mark.parametrize("kind", ["random", "text", "cut", "empty"])
def test_status_never_changes_the_journal(sweep_folder: Path, kind: str) -> None:
    path = sweep_folder / "journal.log"
    whole = path.read_bytes()
    content = {"random": random.Random(0).randbytes(3000), "text": b"hello\nthere", "cut": whole[:-20], "empty": b""}[
        kind
    ]
    path.write_bytes(content)
    before = {inner.name: inner.stat().st_mtime_ns for inner in sweep_folder.iterdir()}
    result = CliRunner().invoke(app, ["sweep", "--status", str(sweep_folder)])
    assert result.exit_code == (3 if kind in ("random", "text") else 0), result.output
    assert path.read_bytes() == content
    assert {inner.name: inner.stat().st_mtime_ns for inner in sweep_folder.iterdir()} == before


@pytest.fixture
def sweep_folder(tmp_path: Path, small_prepared: Path) -> Path:
    from emokit.sweep import run
    from emokit.sweep.space import read_space

    space = tmp_path / "space.yaml"
    space.write_text("name: s\nexperiment: {modality: audio}\nspace:\n  training.lr: {grid: [0.1, 0.2]}\n")
    run.begin(read_space(space), small_prepared, tmp_path / "sweep", None, device="cpu", force=False)
    return tmp_path / "sweep"
