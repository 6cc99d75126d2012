"""The typed lines of log.jsonl."""

from pathlib import Path

import pytest

from emokit import runs
from emokit.errors import DataError
from emokit.schema.base import validated
from emokit.schema.log import LogLine
from emokit.training.loop import DevMetrics, Epoch


def test_what_the_loop_logs_is_declared() -> None:
    epoch = Epoch(1, 0.5, DevMetrics(0.5, 0.5, 0.5, 0.5, 3), 0.1, 1.0, True, None, {})  # type: ignore[arg-type]
    assert validated(LogLine, epoch.as_log()) == epoch.as_log()


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('{"epoch": "a"}', "has epoch = 'a', but it should be a valid integer"),
        ('{"epoch": "1"}', "has epoch = '1', but it should be a valid integer"),
        ('{"epoch": true}', "has epoch = True, but it should be a valid integer"),
        ('{"epoch": 1, "dev_uar": "0.5"}', "has dev_uar = '0.5', but it should be a valid number"),
        ('{"epoch": 0}', "has epoch = 0, but it should be greater than or equal to 1"),
        ('{"dev_uar": 0.5}', "has no epoch"),
        ("7", "holds a int where a mapping was expected"),
        ("[]", "holds a list where a mapping was expected"),
        ('{"epoch": 1e999}', "has epoch = inf, but it should be a valid integer"),
        ('{"epoch": 1, "dev_uar": NaN}', "has dev_uar = nan, but it should be a finite number"),
    ],
)
def test_a_line_of_another_shape_is_a_sentence(tmp_path: Path, line: str, fault: str) -> None:
    (tmp_path / "log.jsonl").write_text(line + "\n")
    with pytest.raises(DataError) as error:
        runs.read_log(tmp_path)
    assert str(error.value) == f"{tmp_path / 'log.jsonl'} {fault}; make the run again, or leave it out."


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_bytes(b'\xff\xfe\n{"epoch": 1}\n')
    with pytest.raises(DataError) as error:
        runs.read_log(tmp_path)
    assert str(error.value) == f"{tmp_path / 'log.jsonl'} is not UTF-8 text; make the run again, or leave it out."
