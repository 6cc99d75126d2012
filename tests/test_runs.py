"""The run folder: made once, resumed only with the same settings, folds and data, readable after a kill."""

import json
import os
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
    modality: str = "audio"
    training: Inner = Inner()


def start(run: Path, settings: Settings | None = None, *, fingerprint: str = "f" * 64, **options: Any) -> None:
    runs.start(run, settings or Outer(), seed=7, device="cpu", fingerprint=fingerprint, **options)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "first"
    start(folder)
    return folder


def test_a_started_run_has_its_settings_and_its_environment(run: Path) -> None:
    assert yaml.safe_load((run / "settings.yaml").read_text()) == {
        "name": "tiny",
        "modality": "audio",
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


@pytest.mark.parametrize(("complete", "state"), [(False, "was started"), (True, "is complete")])
def test_a_run_that_exists_is_not_overwritten(run: Path, complete: bool, state: str) -> None:
    if complete:
        (run / "metrics.json").write_text("{}")
    with pytest.raises(UsageError) as caught:
        start(run)
    assert str(caught.value) == (
        f"{run} {state}; add --resume to resume it, --force to replace it, or name another --run."
    )


def test_a_folder_that_is_not_a_run_is_refused_and_not_changed(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    for options in ({}, {"resume": True}, {"force": True}):
        with pytest.raises(UsageError, match=r"is not empty|did not make it"):
            start(tmp_path, **options)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


def test_force_replaces_a_run(run: Path) -> None:
    (run / "metrics.json").write_text("{}")
    start(run, Outer(name="other"), force=True)
    assert runs.read_settings(run)["name"] == "other"
    assert not runs.is_complete(run)


def test_resuming_changes_no_file(run: Path) -> None:
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    start(run, resume=True)
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def test_a_run_that_was_killed_between_its_first_two_files_is_started_again(run: Path) -> None:
    (run / runs.ENVIRONMENT).unlink()
    start(run, resume=True)
    assert runs.read_environment(run)["seed"] == 7


def test_a_run_that_lost_a_file_later_is_not_started_again(run: Path) -> None:
    (run / runs.ENVIRONMENT).unlink()
    (run / runs.LOG).write_text("{}\n")
    with pytest.raises(DataError, match=r"environment\.json does not exist"):
        start(run, resume=True)
    assert (run / runs.LOG).read_text() == "{}\n"


def test_a_cross_validation_is_resumed_with_the_same_folds_only(tmp_path: Path) -> None:
    run = tmp_path / "folds"
    start(run, folds="emobox")
    start(run, folds="emobox", resume=True)
    for folds, now in (("prepared", "with --folds prepared"), (None, "without --folds")):
        with pytest.raises(UsageError) as caught:
            start(run, folds=folds, resume=True)
        assert str(caught.value) == (
            f"{run} was started with --folds emobox and would be resumed {now}; "
            "resume it as it was started, or name another --run."
        )


def test_a_run_whose_environment_has_no_folds_can_be_resumed(run: Path) -> None:
    about = runs.read_environment(run)
    del about["folds"]
    (run / runs.ENVIRONMENT).write_text(json.dumps(about))
    start(run, folds="emobox", resume=True)


def test_resuming_without_a_run_starts_it(tmp_path: Path) -> None:
    start(tmp_path / "new", resume=True)
    assert (tmp_path / "new" / "settings.yaml").exists()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (Outer(training=Inner(lr=0.25)), "training.lr = 0.5 and would be resumed with 0.25"),
        (
            Outer(training=Inner(channels=(16, 64))),
            "training.channels = [16, 32] and would be resumed with [16, 64]",
        ),
        (Inner(), "channels = None and would be resumed with [16, 32]"),
    ],
)
def test_a_resumed_run_with_other_settings_is_refused(run: Path, changed: Settings, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        start(run, changed, resume=True)
    assert str(caught.value) == (
        f"{run} was started with {words}; resume it with the settings it was started with, or name another --run."
    )


def test_a_resumed_run_on_other_data_is_refused(run: Path) -> None:
    with pytest.raises(DataError) as caught:
        start(run, fingerprint="0" * 64, resume=True)
    assert str(caught.value) == f"{run} was started on other data; resume it with the --data it was started with."


@pytest.mark.parametrize("kind", ["audio", "text", "fusion"])
def test_a_run_of_an_older_emokit_is_refused_and_not_resumed(run: Path, kind: str) -> None:
    (run / "settings.yaml").write_text(f"name: tiny\nkind: {kind}\ntraining:\n  lr: 0.5\n")
    for read in (runs.check_folder, runs.check_complete, runs.read_metrics, lambda run: start(run, resume=True)):
        with pytest.raises(DataError) as caught:
            read(run)
        assert str(caught.value) == f"{run} was made by an emokit before names changed; train it again."
    start(run, force=True)
    runs.check_folder(run)


def test_a_setting_named_kind_does_not_make_a_run_old(run: Path) -> None:
    (run / "settings.yaml").write_text("modality: audio\nkind: audio\n")
    runs.check_folder(run)


def test_the_label_set_of_a_run_is_that_of_its_metrics(run: Path) -> None:
    (run / "metrics.json").write_text('{"labels": ["low", "high"]}')
    assert runs.read_labels(run).label2id == {"low": 0, "high": 1}
    for text in ("{}", '{"labels": 7}', '{"labels": ["low", "low"]}'):
        (run / "metrics.json").write_text(text)
        with pytest.raises(DataError) as caught:
            runs.read_labels(run)
        assert str(caught.value) == f"{run / 'metrics.json'} has no label set in `labels`; make the run again."


def test_epochs_are_read_in_order(run: Path) -> None:
    for number in (1, 2, 10):
        runs.append_log(run, {"epoch": number, "train_loss": 1 / number})
    assert runs.read_log(run) == [{"epoch": n, "train_loss": 1 / n} for n in (1, 2, 10)]


def test_a_run_without_a_log_has_no_epochs(run: Path) -> None:
    assert runs.read_log(run) == []


def test_an_incomplete_line_is_skipped_and_of_a_repeated_epoch_the_last_line_counts(run: Path) -> None:
    (run / "log.jsonl").write_text(
        '{"epoch": 1, "loss": 3}\n{"epoch": 2, "loss": 9}\n{"epoch": 2, "loss": 2}\n\n[1]\n{"loss": 1}\n\x00\n{"epoch": 3, "lo'
    )
    assert runs.read_log(run) == [{"epoch": 1, "loss": 3}, {"epoch": 2, "loss": 2}]


def test_the_epoch_after_an_incomplete_line_is_not_lost(run: Path) -> None:
    (run / "log.jsonl").write_text('{"epoch": 1}\n{"epoch": 2, "lo')
    runs.append_log(run, {"epoch": 2})
    runs.append_log(run, {"epoch": 3})
    assert runs.read_log(run) == [{"epoch": 1}, {"epoch": 2}, {"epoch": 3}]


def test_a_folder_that_is_not_a_complete_run_is_refused(run: Path, tmp_path: Path) -> None:
    for folder, words in (
        (tmp_path / "none", "does not exist; name a run folder, as `emokit train` makes it with --run."),
        (tmp_path, "has no settings.yaml, so it is no run folder; name one that `emokit train` made."),
        (run, "has no metrics.json, so its training did not end; resume it by adding --resume."),
    ):
        with pytest.raises(DataError) as caught:
            runs.read_metrics(folder)
        assert str(caught.value) == f"{folder} {words}"
    (run / "metrics.json").write_text('{"name": "tiny"}')
    assert runs.read_metrics(run) == {"name": "tiny"}


@pytest.mark.parametrize(
    ("given", "stored"),
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
def test_the_command_is_stored_without_the_passwords_of_its_urls(
    given: str, stored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["emokit", given])
    assert runs.environment(seed=0, device="cpu", fingerprint="")["command"] == ["emokit", stored]


def test_the_files_of_a_model_have_the_mode_that_the_umask_asks_for(run: Path) -> None:
    before = os.umask(0o022)
    try:
        runs.write_model(run, lambda folder: (folder / "model.safetensors").touch(mode=0o600))
    finally:
        os.umask(before)
    assert (run / "model" / "model.safetensors").stat().st_mode & 0o777 == 0o644
    assert (run / "model").stat().st_mode & 0o777 == 0o755


def test_a_colleague_who_may_not_read_a_model_is_told(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs.write_model(run, lambda folder: (folder / "model.safetensors").touch())
    (run / "metrics.json").write_text("{}")
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).endswith(".safetensors"))
    with pytest.raises(DataError) as caught:
        runs.check_complete(run)
    path = run / "model" / "model.safetensors"
    assert str(caught.value) == f"{path} may not be read by you; ask its owner for access."
