"""A command with several worker processes, or one of its workers, is killed: nothing differs in the end and nothing is left."""

import logging
import os
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from tests.kills.conftest import contents, emokit, in_a_child, leftovers, remove, resumed

log = logging.getLogger(__name__)  # shown with --log-cli-level=INFO
pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(1800)]
ALL = bool(os.environ.get("EMOKIT_ALL_KILLS"))
STRIDE = 6  # a command with workers takes ten seconds, and without them every operation of a fold is tested

# Python imports a module of this name at its start: in every worker, before emokit.
SITE = """
import sys
from pathlib import Path

from tests.kills.conftest import Killing

sys.addaudithook(Killing(Path({folder!r}), {stop}, Path({mark!r})))
"""


@pytest.fixture
def command(tmp_path: Path, write_emodb: Callable[..., list[Path]], monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """`emokit train --folds` with three folds, without its --workers."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # which environment.json has
    write_emodb(tmp_path / "emodb", texts=("a01", "a02"), emotions="WFN")
    data = tmp_path / "prepared"
    small = ("--set", "features.n_mels=16")
    emokit("prepare", "emodb", "--root", f"emodb={tmp_path / 'emodb'}", "--out", data, *small, "--workers", 1)
    return [
        *("train", "audio", "--device", "cpu", "--data", data, "--run", tmp_path / "made" / "out", *small),
        *("--set", "model.kind=functionals", "--set", "data.window_seconds=0.2", "--folds", "leave-one-speaker-out"),
    ]


@pytest.fixture
def expected(tmp_path: Path, command: list[object]) -> dict[str, object]:
    """What the command makes with one worker, which is this process."""
    out = tmp_path / "made" / "out"
    emokit(*command, "--workers", 1)
    made = contents(out)
    assert leftovers(out.parent) == []
    remove(out)
    return made


def test_the_command_is_killed_while_its_workers_train(
    tmp_path: Path, command: list[object], expected: dict[str, object]
) -> None:
    """The next command begins while the workers of the killed one still end."""
    out = tmp_path / "made" / "out"
    of_folds = sum(name.startswith("folds/") for name in expected)
    for number in range(1, of_folds, STRIDE) if ALL else (of_folds // 4,):
        remove(out)
        has_files = lambda number=number: sum(path.is_file() for path in out.glob("folds/**/*")) >= number  # noqa: E731
        assert in_a_child(partial(emokit, *command, "--workers", 2), out.parent, until=has_files) is None
        in_a_child(partial(resumed, *command, "--workers", 2 if ALL else 1, run=out), out.parent)
        assert contents(out) == expected, f"after a kill with {number} files of folds"
        assert leftovers(out.parent) == [], f"after a kill with {number} files of folds"
        log.info(f"the command was killed with {number} files of folds")


def test_a_worker_is_killed(
    tmp_path: Path, command: list[object], expected: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command replaces it and needs no next one."""
    out, mark = tmp_path / "made" / "out", tmp_path / "mark"
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])]))
    for stop in count(1, STRIDE) if ALL else (7,):
        remove(out)
        remove(mark)
        (tmp_path / "sitecustomize.py").write_text(SITE.format(folder=str(out.parent), stop=stop, mark=str(mark)))
        in_a_child(partial(emokit, *command, "--workers", 2), out.parent)
        assert contents(out) == expected, f"after a worker was killed before its operation {stop}"
        assert leftovers(out.parent) == [], f"after a worker was killed before its operation {stop}"
        if not mark.exists():  # no worker has so many operations
            assert stop > 7
            break
        log.info(f"a worker was killed before its operation {stop}")
