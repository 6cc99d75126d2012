"""The log of a run after a kill between a checkpoint and its line."""

from pathlib import Path

import pytest

from emokit.epoch_log import LOG, align_log, append_log, last_epoch, read_log
from emokit.errors import DataError


def test_an_incomplete_line_is_removed_before_the_next(tmp_path: Path) -> None:
    (tmp_path / LOG).write_text('{"epoch": 1}\n{"epoch": 2, "lo')
    append_log(tmp_path, {"epoch": 2})
    assert (tmp_path / LOG).read_text() == '{"epoch": 1}\n{"epoch": 2}\n'
    assert last_epoch(tmp_path) == 2


def test_the_line_that_a_kill_lost_is_that_of_the_checkpoint(tmp_path: Path) -> None:
    append_log(tmp_path, {"epoch": 1, "seconds": 0.5})
    align_log(tmp_path, 2, {"epoch": 2, "uar": 0.25})
    assert read_log(tmp_path) == [{"epoch": 1, "seconds": 0.5}, {"epoch": 2, "uar": 0.25, "seconds": 0.0}]


def test_lines_after_the_checkpoint_and_repeated_lines_are_removed(tmp_path: Path) -> None:
    (tmp_path / LOG).write_text('{"epoch": 1}\n{"epoch": 1}\n{"epoch": 2}\n{"epoch": 3')
    align_log(tmp_path, 1, {"epoch": 1})
    assert (tmp_path / LOG).read_text() == '{"epoch": 1}\n'
    align_log(tmp_path, 0, None)
    assert (tmp_path / LOG).read_text() == ""


def test_epochs_that_the_log_lacks_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    align_log(tmp_path, 2, {"epoch": 2})
    words = "has only 1 of the 2 epochs that were trained; the learning curve will lack the others."
    assert caplog.messages == [f"{tmp_path / LOG} {words}"]
    caplog.clear()
    append_log(tmp_path, {"epoch": 1})
    align_log(tmp_path, 2, {"epoch": 2})
    assert caplog.messages == []


def test_a_log_that_agrees_is_not_written(tmp_path: Path) -> None:
    align_log(tmp_path, 0, None)
    assert not (tmp_path / LOG).exists()
    append_log(tmp_path, {"epoch": 1})
    before = (tmp_path / LOG).stat().st_mtime_ns
    align_log(tmp_path, 1, {"epoch": 1})
    assert (tmp_path / LOG).stat().st_mtime_ns == before


def test_epochs_are_read_in_order(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        append_log(tmp_path, {"epoch": number, "train_loss": 1 / number})
    assert read_log(tmp_path) == [{"epoch": n, "train_loss": 1 / n} for n in (1, 2, 10)]


def test_a_run_without_a_log_has_no_epochs(tmp_path: Path) -> None:
    assert read_log(tmp_path) == []


def test_an_incomplete_line_is_skipped_and_of_a_repeated_epoch_the_last_line_counts(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(
        '{"epoch": 1, "loss": 3}\n{"epoch": 2, "loss": 9}\n{"epoch": 2, "loss": 2}\n\n\x00\n{"epoch": 3, "lo'
    )
    assert read_log(tmp_path) == [{"epoch": 1, "loss": 3}, {"epoch": 2, "loss": 2}]


def test_the_epoch_after_an_incomplete_line_is_not_lost(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"epoch": 1}\n{"epoch": 2, "lo')
    append_log(tmp_path, {"epoch": 2})
    append_log(tmp_path, {"epoch": 3})
    assert read_log(tmp_path) == [{"epoch": 1}, {"epoch": 2}, {"epoch": 3}]


def test_a_line_with_a_key_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / LOG).write_text('{"epoch": 1, "dev_uar": 0.2, "dev_uar": 0.9}\n')
    with pytest.raises(DataError) as error:
        read_log(tmp_path)
    assert str(error.value) == (
        f"{tmp_path / LOG} is damaged (it has the key dev_uar twice); make the run again, or leave it out."
    )
