"""The run folder: made once, resumed only with the same settings, folds and data, readable after a kill."""

import json
import os
import platform
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml

from emokit import __version__, locks, runs
from emokit.errors import DataError, UsageError, WorkError
from emokit.settings import Settings

WHOLE = '{"labels": ["low", "high"], "splits": {}}'  # a `metrics.json` of a complete run


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
        (run / "metrics.json").write_text(WHOLE)
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
    (run / "metrics.json").write_text(WHOLE)
    start(run, Outer(name="other"), force=True)
    assert runs.read_settings(run)["name"] == "other"
    assert not runs.is_complete(run)


def test_resuming_changes_no_file(run: Path) -> None:
    locks.release(run)
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    start(run, resume=True)
    locks.release(run)
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


@pytest.mark.parametrize("options", [{}, {"resume": True}, {"force": True}])
def test_a_run_that_was_killed_while_it_wrote_its_settings_is_started(tmp_path: Path, options: dict[str, bool]) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / ".settings.yaml.999999999.part").write_text("name: ti")
    start(run, **options)
    locks.release(run)
    assert sorted(path.name for path in run.iterdir()) == ["environment.json", "settings.yaml"]


def test_a_run_that_another_process_trains_is_refused(run: Path) -> None:
    locks.release(run)
    child = os.fork()
    if child == 0:
        try:
            locks.hold(run)
            os.kill(os.getpid(), signal.SIGSTOP)
        finally:
            os._exit(0)
    os.waitpid(child, os.WUNTRACED)
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    try:
        for options in ({"resume": True}, {"force": True}):
            with pytest.raises(WorkError) as caught:
                start(run, **options)
            assert str(caught.value) == (
                f"{run} is in use by process {child} on {platform.node()}; wait until that ends, or name another folder."
            )
        with pytest.raises(WorkError, match="is in use"):
            runs.tidy(run)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before
    runs.tidy(run)
    assert sorted(path.name for path in run.iterdir()) == ["environment.json", "settings.yaml"]


def test_a_refused_start_releases_the_lock(run: Path) -> None:
    locks.release(run)
    with pytest.raises(DataError):
        start(run, fingerprint="0" * 64, resume=True)
    assert not (run / ".lock").exists()


def test_resume_and_force_together_are_refused(run: Path) -> None:
    with pytest.raises(UsageError) as caught:
        start(run, resume=True, force=True)
    assert str(caught.value) == (
        "--resume and --force were given; add --resume to resume the run, or --force to replace it."
    )


def test_a_run_that_is_killed_while_it_is_replaced_is_not_complete(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (run / "metrics.json").write_text(WHOLE)
    (run / "model").mkdir()

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "new_folder", killed)
    with pytest.raises(KeyboardInterrupt):
        start(run, force=True)
    assert not runs.is_complete(run)


def test_the_key_of_a_run_differs_with_its_settings_and_its_data(run: Path, tmp_path: Path) -> None:
    start(tmp_path / "same")
    start(tmp_path / "settings", Outer(training=Inner(lr=0.25)))
    start(tmp_path / "data", fingerprint="0" * 64)
    start(tmp_path / "folds", folds="prepared")
    assert runs.key(run) == runs.key(tmp_path / "same")
    assert len({runs.key(tmp_path / name) for name in ("same", "settings", "data", "folds")}) == 4


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
    (run / "metrics.json").write_text(WHOLE)
    assert runs.read_labels(run).label2id == {"low": 0, "high": 1}
    (run / "metrics.json").write_text('{"labels": ["low", ""], "splits": {}}')
    with pytest.raises(DataError) as caught:
        runs.read_labels(run)
    assert str(caught.value) == f"{run / 'metrics.json'} has no label set in `labels`; make the run again."


@pytest.mark.parametrize(
    "name", ["log.jsonl", "model", "metrics.json", "settings.yaml", "checkpoints", ".log.jsonl.1.part"]
)
def test_a_link_in_a_run_is_neither_read_nor_written_through(run: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "link").symlink_to(run)
    start(tmp_path / "link", resume=True)  # the folder itself may be a link
    outside = tmp_path / "outside"
    outside.write_text("mine")
    (run / "metrics.json").write_text(WHOLE)
    (run / name).unlink(missing_ok=True)
    (run / name).symlink_to(outside)
    for use in (runs.check_folder, runs.read_metrics, lambda run: start(run, resume=True)):
        with pytest.raises(DataError) as caught:
            use(run)
        assert str(caught.value) == (
            f"{run / name} is a symbolic link, and emokit makes none in its folders; put a copy of what it names in its place."
        )
    assert outside.read_text() == "mine"


def test_a_folder_that_is_not_a_complete_run_is_refused(run: Path, small_prepared: Path, tmp_path: Path) -> None:
    for folder, words in (
        (tmp_path / "none", "does not exist; name a run folder, as `emokit train` makes it with --run."),
        (tmp_path, "has no settings.yaml, so it is no run folder; name one that `emokit train` made."),
        (small_prepared, "is a prepared folder, not a run; name a run folder, as `emokit train` makes it."),
        (run, "has no metrics.json, so its training did not end; resume it by adding --resume."),
    ):
        with pytest.raises(DataError) as caught:
            runs.read_metrics(folder)
        assert str(caught.value) == f"{folder} {words}"
    (run / "metrics.json").write_text(WHOLE)
    assert runs.read_metrics(run) == json.loads(WHOLE)


def test_the_command_is_stored_without_its_secrets_and_the_data_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    urls = ["postgresql://ann:s3cr3t@host/sweeps", "https://host/a?token=s3cr3t", "https://s3cr3t@host"]
    monkeypatch.setattr("sys.argv", ["emokit", *urls, "runs/one"])
    masked = ["postgresql://ann:***@host/sweeps", "https://host/a?token=***", "https://***@host"]
    about = runs.environment(seed=0, device="cpu", data=Path("data"), fingerprint="")
    assert (about["command"], about["data"]) == (["emokit", *masked, "runs/one"], str(Path.cwd() / "data"))
