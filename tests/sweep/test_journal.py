"""A journal is checked when it is opened, and unchanged where it is shown."""

import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emokit.cli.app import app
from emokit.errors import DataError
from emokit.sweep.journal import UnchangedJournal, check_journal

LINE = b'{"op_code":0,"worker_id":"a"}\n'


def test_a_journal_is_read_without_the_line_that_a_kill_left(tmp_path: Path) -> None:
    path = tmp_path / "journal.log"
    assert check_journal(path) == []
    for rest in (b"", b"{", LINE[:20]):
        path.write_bytes(LINE * 2 + rest)
        assert check_journal(path) == [{"op_code": 0, "worker_id": "a"}] * 2


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"\x93\xff", "its last line is none of a sweep"),
        (LINE + b"rest", "its last line is none of a sweep"),
        (LINE + b"\x93\xff\n", "line 2 is none of a sweep"),
        (b"[]\n", "line 1 is none of a sweep"),
        (b'{"op_code":"x"}\n', "line 1 is none of a sweep"),
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
