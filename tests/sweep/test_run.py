import errno
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from emokit import locks, runs
from emokit.errors import DataError, UsageError, WorkError
from emokit.sweep import run as work
from emokit.sweep.plan import Plan
from emokit.sweep.run import begin, check_sweep, order, read_plan, resume, watch, work_here
from emokit.sweep.settings import SweepSettings
from emokit.sweep.space import read_space
from emokit.sweep.storage import open_storage
from emokit.sweep.summary import summarise
from emokit.sweep.worker import Order

Make = Callable[..., SweepSettings]


@pytest.fixture
def begin_with(tmp_path: Path, small_prepared: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Begins a sweep as the command does; torch is not needed."""
    monkeypatch.setattr("emokit.sweep.run.WATCH_SECONDS", 0.1)

    def begin_one(sweep: SweepSettings, make_train_point: Any = None) -> tuple[Plan, Order]:
        plan = begin(sweep, small_prepared, tmp_path / "sweep", device="cpu")
        return plan, replace(order(plan, None, small_prepared, "cpu", "auto"), make_train_point=make_train_point)

    return begin_one


def test_a_modality_that_is_registered_late_is_swept(toy: Any, tmp_path: Path, small_prepared: Path) -> None:
    path = tmp_path / "space.yaml"
    values = {
        "experiment": {"modality": "toy", "settings": {"training.max_epochs": 2}},
        "space": {"training.lr": {"grid": [0.05, 0.1]}},
        "confirm": {"best": 1, "seeds": 2},
    }
    path.write_text(yaml.safe_dump(values))
    plan = begin(read_space(path), small_prepared, tmp_path / "sweep", device="cpu")
    summary = work_here(plan, order(plan, None, small_prepared, "cpu", "auto"))
    assert summary["modality"] == "toy"
    assert [entry["state"] for entry in (*summary["trials"], *summary["confirmations"])] == ["complete"] * 4
    assert summary["best"]["params"] == {"training.lr": 0.1}
    assert json.loads((plan.run / "sweep.json").read_text()) == summary
    assert toy.ToySettings.read(plan.run / "best.yaml").training.lr == 0.1


def test_a_worker_that_is_killed_is_replaced(begin_with: Any, make_sweep: Make, toy: Any) -> None:
    plan, given = begin_with(make_sweep(space={"training.lr": {"grid": [0.05, 0.1, 0.2]}}), toy.killed_once)
    *_, summary = watch(plan, given, 1)
    assert summary["counts"]["complete"] == 3
    assert sorted(entry["attempt"] for entry in summary["trials"]) == [0, 0, 1]
    assert summary == json.loads((plan.run / "sweep.json").read_text())


def test_a_worker_is_replaced_while_the_others_are_busy(begin_with: Any, make_sweep: Make, toy: Any) -> None:
    plan, given = begin_with(make_sweep(), toy.second_killed)
    *_, summary = watch(plan, given, 2)
    assert summary["counts"]["complete"] == 12
    assert "Nobody came." not in (plan.run / "workers" / "0.log").read_text()
    assert (plan.run / "killed").exists()


def test_if_every_worker_ends_with_an_error_it_is_raised_and_all_points_wait(
    begin_with: Any, make_sweep: Make, toy: Any
) -> None:
    plan, given = begin_with(make_sweep(), toy.full_disk)
    with pytest.raises(WorkError) as error:
        list(watch(plan, given, 1))
    assert str(error.value) == (
        "The disk that holds it is full; free some space; "
        f"resume with `emokit sweep --resume {plan.run}` when that is fixed."
    )
    assert json.loads((plan.run / "sweep.json").read_text())["counts"]["waiting"] == 12


def test_a_sweep_is_resumed_with_its_own_data_only(begin_with: Any, make_sweep: Make, text_prepared: Path) -> None:
    plan, _ = begin_with(make_sweep())
    with pytest.raises(DataError) as error:
        resume(plan.run, data=text_prepared)
    assert str(error.value) == (
        f"{plan.run} was begun with other data than {text_prepared}; resume it with its original --data."
    )
    opened, url, data = resume(plan.run)
    assert (opened.sweep, url, data) == (plan.sweep, None, Path(runs.read_environment(plan.run)["data"]))


def test_what_failed_is_retried_by_resume_confirmation_included(begin_with: Any, make_sweep: Make, toy: Any) -> None:
    is_broken = True

    def train(settings: Any, folder: Path, on_epoch: Any) -> None:
        if is_broken and settings.training.seed == 2:
            raise RuntimeError("a cable came loose")
        toy.training(0)(settings, folder, on_epoch)

    plan, given = begin_with(make_sweep(confirm={"best": 1, "seeds": 2}), lambda: train)
    summary = work_here(plan, given)
    assert [entry["state"] for entry in summary["confirmations"]] == ["complete", "failed"]
    is_broken = False
    resumed, _, _ = resume(plan.run)
    summary = work_here(resumed, given)
    assert [entry["state"] for entry in summary["confirmations"]] == ["complete", "complete"]
    assert summary["best"]["is_confirmed"]


def test_a_folder_that_exists_is_replaced_only_by_force(
    begin_with: Any, make_sweep: Make, small_prepared: Path
) -> None:
    plan, _ = begin_with(make_sweep())
    with pytest.raises(UsageError) as error:
        begin(make_sweep(), small_prepared, plan.run)
    assert str(error.value) == (
        f"{plan.run} exists; resume it with `emokit sweep --resume {plan.run}`, "
        "replace it with --force, or name another --run."
    )
    small = make_sweep(space={"training.lr": {"grid": [0.1]}})
    assert len(summarise(begin(small, small_prepared, plan.run, force=True))["trials"]) == 1


def test_a_grid_that_is_too_large_to_be_listed_is_refused(
    make_sweep: Make, small_prepared: Path, tmp_path: Path
) -> None:
    values = {"grid": [number / 1000 for number in range(1, 401)]}
    sweep = make_sweep(space={"training.lr": values, "training.label_smoothing": values})
    with pytest.raises(UsageError) as error:
        begin(sweep, small_prepared, tmp_path / "sweep")
    assert str(error.value) == (
        "The space has a grid of 160000 points and at most 100000 can be trained; vary less, or sample it with choice: in "
        "place of grid: and a budget."
    )
    assert not (tmp_path / "sweep").exists()


def test_a_sweep_that_was_killed_in_its_beginning_is_begun_again_by_force(
    begin_with: Any, make_sweep: Make, small_prepared: Path
) -> None:
    plan, _ = begin_with(make_sweep())
    (plan.run / "storage.json").unlink()
    with pytest.raises(UsageError) as error:
        begin(make_sweep(), small_prepared, plan.run)
    assert str(error.value) == (
        f"{plan.run} exists and is no complete sweep; replace it with --force, or name another --run."
    )
    with pytest.raises(UsageError) as error:
        resume(plan.run)
    assert str(error.value) == (
        f"{plan.run} was interrupted before its first point; begin the sweep again with --force."
    )
    (plan.run / "trials").mkdir()
    with pytest.raises(DataError) as damaged:
        resume(plan.run)
    assert str(damaged.value) == (
        f"{plan.run / 'storage.json'} is damaged (it is gone, and points were trained); sweep into another folder with --run."
    )
    assert check_sweep(begin(make_sweep(), small_prepared, plan.run, force=True).run) == plan.sweep


def test_several_commands_work_on_a_sweep_and_none_replaces_it(
    begin_with: Any, make_sweep: Make, small_prepared: Path, toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, given = begin_with(make_sweep())
    with monkeypatch.context() as patch:  # another process
        patch.setattr(locks, "_held", {})
        with pytest.raises(WorkError, match="is in use by process"):
            begin(make_sweep(), small_prepared, plan.run, force=True)
        joined, _, _ = resume(plan.run)
        work_here(joined, replace(given, make_train_point=lambda: toy.training(0)))
    assert (plan.run / ".lock").exists()
    work_here(plan, replace(given, make_train_point=lambda: toy.training(0)))
    assert not (plan.run / ".lock").exists()


def test_a_study_with_another_space_or_other_data_is_refused_with_the_difference(
    begin_with: Any,
    make_sweep: Make,
    small_prepared: Path,
    text_prepared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan, _ = begin_with(make_sweep())
    # The journal takes the place of a database that two machines share.
    monkeypatch.setattr(work.storages, "open_storage", lambda url, run: open_storage(None, plan.run))
    shared, elsewhere = "postgresql://host/sweeps", tmp_path / "elsewhere"
    study = "The study sweep in postgresql+psycopg://host/sweeps"
    with pytest.raises(UsageError) as error:
        begin(make_sweep(pruner="median"), small_prepared, elsewhere, shared)
    assert str(error.value) == (
        f"{study} has pruner = 'none' and this sweep has 'median'; "
        "join it with the same file, or give the sweep another name."
    )
    with pytest.raises(DataError) as problem:
        begin(make_sweep(), text_prepared, elsewhere, shared)
    assert str(problem.value) == (
        f"{study} uses other data than {text_prepared}; prepare the same data, or give the sweep another name."
    )
    assert not elsewhere.exists()
    joined = begin(make_sweep(budget={"hours": 2}), small_prepared, elsewhere, shared)
    assert len(joined.search.study.trials) == 12
    assert resume(plan.run, shared)[0].sweep == plan.sweep
    settings = plan.run / "settings.yaml"
    settings.write_text(settings.read_text().replace("pruner: none", "pruner: median"))
    with pytest.raises(UsageError, match=r" has pruner = 'none' and this sweep has 'median'; "):
        resume(plan.run, shared)


def test_the_password_of_a_storage_is_not_in_the_folder(begin_with: Any, make_sweep: Make) -> None:
    plan, _ = begin_with(make_sweep())
    (plan.run / "storage.json").write_text('{"url": "postgresql+psycopg://ann:***@host/sweeps"}')
    with pytest.raises(UsageError) as error:
        read_plan(plan.run)
    assert str(error.value) == (
        f"{plan.run} has its storage at postgresql+psycopg://ann:***@host/sweeps, and no server is contacted that the "
        "command does not name; add --storage with its URL, the password included."
    )


@pytest.mark.parametrize("use", [read_plan, resume])
def test_no_server_is_contacted_that_only_the_folder_names(
    begin_with: Any, make_sweep: Make, monkeypatch: pytest.MonkeyPatch, use: Callable[..., Any]
) -> None:
    plan, _ = begin_with(make_sweep())
    url = "postgresql+psycopg://ann:s3cr3t@host/sweeps"
    (plan.run / "storage.json").write_text(json.dumps({"url": url}))
    contacted: list[Any] = []

    def open_only(given: str | None, run: Path, **_: Any) -> Any:
        contacted.append(given)
        return open_storage(None, run)

    monkeypatch.setattr(work.storages, "open_storage", open_only)
    with pytest.raises(UsageError) as error:
        use(plan.run)
    assert str(error.value) == (
        f"{plan.run} has its storage at postgresql+psycopg://ann:***@host/sweeps, and no server is contacted that the "
        "command does not name; add --storage with its URL, the password included."
    )
    assert contacted == []
    use(plan.run, url)
    assert set(contacted) == {url}


def test_a_sweep_with_a_link_in_it_is_refused(begin_with: Any, make_sweep: Make, tmp_path: Path) -> None:
    plan, _ = begin_with(make_sweep())
    (plan.run / "trials").symlink_to(tmp_path)
    with pytest.raises(
        DataError, match=f"^{plan.run / 'trials'} is a symbolic link, and emokit makes none in its folders"
    ):
        check_sweep(plan.run)


def test_a_sweep_of_an_emokit_with_older_names_is_refused(begin_with: Any, make_sweep: Make) -> None:
    plan, _ = begin_with(make_sweep())
    settings = plan.run / "settings.yaml"
    settings.write_text(settings.read_text().replace("  modality: toy", "  kind: toy", 1))
    with pytest.raises(DataError) as error:
        check_sweep(plan.run)
    assert (
        str(error.value) == f"{plan.run} was made by an emokit before names changed; sweep again into another folder."
    )


def test_a_folder_that_cannot_be_written_is_named(
    make_sweep: Make, small_prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(WorkError) as error:
        begin(make_sweep(), small_prepared, tmp_path / "sweep")
    assert (
        str(error.value)
        == f"{tmp_path / 'sweep'} cannot be written (Read-only file system); name a folder that can be."
    )


def test_settings_that_were_changed_since_are_not_resumed(begin_with: Any, make_sweep: Make) -> None:
    plan, _ = begin_with(make_sweep())
    path = plan.run / "settings.yaml"
    path.write_text(path.read_text().replace("seeds: 1", "seeds: 2", 1))
    with pytest.raises(DataError) as error:
        resume(plan.run)
    assert str(error.value).startswith(f"{path} has ")
    assert str(error.value).endswith("put that back, or sweep into another folder with --run.")
