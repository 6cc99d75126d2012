"""The run folder: made once, resumed only with what it was begun with, read even after a kill."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from emokit import __version__, runs
from emokit.errors import DataError, UsageError
from emokit.settings import Settings


class Inner(Settings):
    """A group."""

    lr: float = 0.5
    channels: tuple[int, ...] = (16, 32)


class Outer(Settings):
    """All of it."""

    name: str = "tiny"
    training: Inner = Inner()


def start(run: Path, settings: Settings | None = None, *, fingerprint: str = "f" * 64, **how: Any) -> None:
    runs.start(run, settings or Outer(), seed=7, device="cpu", fingerprint=fingerprint, **how)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "first"
    start(folder)
    return folder


def test_a_started_run_knows_its_settings_and_where_it_was_made(run: Path) -> None:
    assert yaml.safe_load((run / "settings.yaml").read_text()) == {
        "name": "tiny",
        "training": {"lr": 0.5, "channels": [16, 32]},
    }
    about = runs.read_environment(run)
    named = (
        "command started seed device data data_fingerprint folds emokit python platform threads packages git_revision"
    )
    assert " ".join(about) == named
    assert (about["seed"], about["device"], about["data_fingerprint"]) == (7, "cpu", "f" * 64)
    assert about["emokit"] == __version__
    assert about["packages"]["numpy"].startswith("2.")
    assert not runs.is_complete(run)


@pytest.mark.parametrize(("complete", "state"), [(False, "was begun"), (True, "is complete")])
def test_a_run_that_exists_is_not_overwritten(run: Path, complete: bool, state: str) -> None:
    if complete:
        (run / "metrics.json").write_text("{}")
    with pytest.raises(UsageError) as caught:
        start(run)
    assert str(caught.value) == (
        f"{run} {state}; add --resume to go on with it, --force to replace it, or name another --run."
    )


def test_a_folder_that_is_no_run_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    for how in ({}, {"resume": True}, {"force": True}):
        with pytest.raises(UsageError, match=r"is not empty|did not make it"):
            start(tmp_path, **how)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


def test_force_begins_anew(run: Path) -> None:
    (run / "metrics.json").write_text("{}")
    start(run, Outer(name="other"), force=True)
    assert runs.read_settings(run)["name"] == "other"
    assert not runs.is_complete(run)


def test_resuming_keeps_what_is_there(run: Path) -> None:
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    start(run, resume=True)
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def test_a_run_that_was_killed_between_its_first_two_files_is_begun_again(run: Path) -> None:
    (run / runs.ENVIRONMENT).unlink()
    start(run, resume=True)
    assert runs.read_environment(run)["seed"] == 7


def test_a_run_that_lost_a_file_later_is_not_begun_again(run: Path) -> None:
    (run / runs.ENVIRONMENT).unlink()
    (run / runs.LOG).write_text("{}\n")
    with pytest.raises(DataError, match=r"environment\.json is not there"):
        start(run, resume=True)
    assert (run / runs.LOG).read_text() == "{}\n"


def test_a_cross_validation_goes_on_with_the_folds_it_was_begun_with(tmp_path: Path) -> None:
    run = tmp_path / "folds"
    start(run, folds="emobox")
    start(run, folds="emobox", resume=True)
    for folds, now in (("prepared", "with --folds prepared"), (None, "without --folds")):
        with pytest.raises(UsageError) as caught:
            start(run, folds=folds, resume=True)
        assert str(caught.value) == (
            f"{run} was begun with --folds emobox and is to go on {now}; resume as it was begun, or name another --run."
        )


def test_what_was_begun_before_folds_were_noted_is_gone_on_with(run: Path) -> None:
    about = runs.read_environment(run)
    del about["folds"]
    (run / runs.ENVIRONMENT).write_text(json.dumps(about))
    start(run, folds="emobox", resume=True)


def test_resuming_what_was_never_begun_begins_it(tmp_path: Path) -> None:
    start(tmp_path / "new", resume=True)
    assert (tmp_path / "new" / "settings.yaml").exists()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (Outer(training=Inner(lr=0.25)), "training.lr = 0.5 and is to go on with 0.25"),
        (
            Outer(training=Inner(channels=(16, 64))),
            "training.channels = [16, 32] and is to go on with [16, 64]",
        ),
        (Inner(), "channels = None and is to go on with [16, 32]"),
    ],
)
def test_a_resumed_run_with_other_settings_is_refused(run: Path, changed: Settings, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        start(run, changed, resume=True)
    assert str(caught.value) == (
        f"{run} was begun with {words}; resume with the settings it was begun with, or name another --run."
    )


def test_a_resumed_run_on_other_data_is_refused(run: Path) -> None:
    with pytest.raises(DataError) as caught:
        start(run, fingerprint="0" * 64, resume=True)
    assert str(caught.value) == (f"{run} was begun on other data than these; resume with the --data it was begun with.")


def test_epochs_are_read_in_order(run: Path) -> None:
    for number in (1, 2, 10):
        runs.append_log(run, {"epoch": number, "train_loss": 1 / number})
    assert runs.read_log(run) == [{"epoch": n, "train_loss": 1 / n} for n in (1, 2, 10)]


def test_a_run_without_a_log_has_no_epochs(run: Path) -> None:
    assert runs.read_log(run) == []


def test_a_line_cut_short_is_left_out_and_a_repeated_epoch_counts_once(run: Path) -> None:
    (run / "log.jsonl").write_text(
        '{"epoch": 1, "loss": 3}\n{"epoch": 2, "loss": 9}\n{"epoch": 2, "loss": 2}\n\n[1]\n{"loss": 1}\n\x00\n{"epoch": 3, "lo'
    )
    assert runs.read_log(run) == [{"epoch": 1, "loss": 3}, {"epoch": 2, "loss": 2}]


def test_the_epoch_after_a_line_cut_short_is_not_lost(run: Path) -> None:
    (run / "log.jsonl").write_text('{"epoch": 1}\n{"epoch": 2, "lo')
    runs.append_log(run, {"epoch": 2})
    runs.append_log(run, {"epoch": 3})
    assert runs.read_log(run) == [{"epoch": 1}, {"epoch": 2}, {"epoch": 3}]


def test_what_is_no_complete_run_is_said_in_words(run: Path, tmp_path: Path) -> None:
    for folder, words in (
        (tmp_path / "none", "is not there; name a run folder, as `emokit train` makes it with --run."),
        (tmp_path, "has no settings.yaml, so it is no run folder; name one that `emokit train` made."),
        (run, "has no metrics.json, so its training did not end; go on with it by adding --resume."),
    ):
        with pytest.raises(DataError) as caught:
            runs.read_metrics(folder)
        assert str(caught.value) == f"{folder} {words}"
    (run / "metrics.json").write_text('{"name": "tiny"}')
    assert runs.read_metrics(run) == {"name": "tiny"}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("postgresql://ann:secret@host/sweeps", "postgresql://ann:***@host/sweeps"),
        ("--storage=mysql+pymysql://ann:se:c/r@et@host", "--storage=mysql+pymysql://ann:***@host"),
        (
            "postgresql://host/sweeps?user=ann&password=secret&sslmode=require",
            "postgresql://host/sweeps?user=ann&password=***&sslmode=require",
        ),
        ("postgresql:/ann:secret@host/sweeps", "postgresql:/ann:***@host/sweeps"),
        ("postgresql://ann@host:5432/sweeps", "postgresql://ann@host:5432/sweeps"),
        ("runs/one", "runs/one"),
    ],
)
def test_the_command_is_kept_without_the_passwords_of_its_urls(
    given: str, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["emokit", given])
    assert runs.environment(seed=0, device="cpu", fingerprint="")["command"] == ["emokit", kept]
