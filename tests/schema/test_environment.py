"""The typed content of environment.json."""

from pathlib import Path
from typing import Any

import pytest

from emokit import runs
from emokit.errors import DataError
from emokit.schema.base import validated
from emokit.schema.environment import Environment


def test_what_a_run_writes_is_declared() -> None:
    written = runs.environment(seed=3, device="cpu", data=Path("prepared"), fingerprint="ab" * 32, folds="emobox")
    assert validated(Environment, written) == written


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("[]", "holds a list where a mapping was expected"),
        ('{"started": "", "data": 3, "data_fingerprint": ""}', "has data = 3, but it should be a valid string"),
        (
            '{"started": "", "data": null, "data_fingerprint": "", "command": "x"}',
            "has command = 'x', but it should be a valid list",
        ),
    ],
)
def test_another_shape_is_a_sentence(tmp_path: Path, content: Any, fault: str) -> None:
    (tmp_path / "environment.json").write_text(content)
    with pytest.raises(DataError) as error:
        runs.read_environment(tmp_path)
    assert str(error.value) == f"{tmp_path / 'environment.json'} {fault}; make the run again, or leave it out."
