"""One trial: a point is trained in its run folder, seed by seed, and scored on dev from the run's log."""

import contextlib
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emokit import runs
from emokit.errors import DataError
from emokit.files import explained_disk_errors
from emokit.locks import patience
from emokit.settings import Settings
from emokit.sweep.settings import ObjectiveSettings, SweepSettings
from emokit.sweep.space import settings_of
from emokit.sweep.train_point import TrainPoint

# (epoch, its score): raises to stop the training
Report = Callable[[int, float], None]


class Pruned(Exception):
    """The pruner stopped this point."""


@dataclass(frozen=True)
class TrialScore:
    """The score of a training on dev."""

    value: float
    """Of the saved epoch: the best by this metric, or the last if the settings save the last."""
    best_epoch: int
    epochs: int
    seconds: float
    """Sum over epochs."""


def seeds_of(sweep: SweepSettings) -> list[int]:
    """The seeds of every point of the search."""
    first = int(sweep.experiment.settings["training"]["seed"])
    return [first + number for number in range(sweep.seeds)]


def fresh_seeds(sweep: SweepSettings) -> list[int]:
    """The seeds that the best points are trained again with; the search did not use them."""
    return [seeds_of(sweep)[-1] + number for number in range(1, sweep.confirm.seeds + 1)]


def trial_settings(sweep: SweepSettings, point: dict[str, Any], name: str, seed: int, *, halved: bool) -> Settings:
    """The experiment's settings at a point; `halved` halves the batch size and keeps the effective batch size."""
    changes: dict[str, Any] = point | {"name": f"{sweep.name}-{name}", "training.seed": seed}
    settings = settings_of(sweep, changes)
    if not halved:
        return settings
    training = settings.as_dict()["training"]
    smaller = {
        "training.batch_size": max(2, training["batch_size"] // 2),
        "training.gradient_accumulation_steps": 2 * training["gradient_accumulation_steps"],
    }
    return settings_of(sweep, changes | smaller)


def train_once(
    settings: Settings, folder: Path, objective: ObjectiveSettings, train_point: TrainPoint, report: Report
) -> TrialScore:
    """Train one seed of a point, or resume it; a run with a damaged checkpoint is trained from the start."""
    key = f"dev_{objective.metric}"

    def on_epoch(line: dict[str, Any]) -> None:
        report(int(line["epoch"]), float(line[key]))

    with patience():  # the worker that trained it before may not have ended yet
        if runs.is_complete(folder):
            runs.tidy(folder)
        else:
            runs.clear_unless_begun(folder)
            try:
                train_point(settings, folder, on_epoch)
            except DataError:
                if not (folder / runs.CHECKPOINT).exists():
                    raise
                shutil.rmtree(folder)  # the checkpoint is damaged
                train_point(settings, folder, on_epoch)
    if score := read_score(folder, objective):
        return score
    # A model without epochs has no log. Its negative log-likelihood on dev is the mean dev loss.
    name = "nll" if objective.metric == "loss" else objective.metric
    value = runs.read_metrics(folder)["splits"].get("dev", {}).get(name)
    if value is None:
        raise _lacks(folder / runs.METRICS, f"{name} of dev")
    return TrialScore(float(value), 0, 0, 0)


def read_score(folder: Path, objective: ObjectiveSettings) -> TrialScore | None:
    """The score of a run from its log so far; None before the first epoch."""
    log = runs.read_log(folder)
    if not log:
        return None
    if any(line.get(f"dev_{objective.metric}") is None for line in log):
        raise _lacks(folder / runs.LOG, f"dev_{objective.metric}")
    if runs.read_settings(folder).get("training", {}).get("checkpoint") == "last":
        best = log[-1]
    else:
        choose = min if objective.is_minimized else max
        best = choose(log, key=lambda line: float(line[f"dev_{objective.metric}"]))
    seconds = sum(float(line.get("seconds", 0)) for line in log)
    return TrialScore(float(best[f"dev_{objective.metric}"]), int(best["epoch"]), len(log), seconds)


def remove_checkpoint(folder: Path, *, keep_model: bool) -> None:
    """Delete the checkpoint of a training that has ended, and its model unless `keep_model`."""
    with contextlib.suppress(FileNotFoundError), explained_disk_errors(folder):
        shutil.rmtree(folder / Path(runs.CHECKPOINT).parts[0], ignore_errors=True)
        if not keep_model:
            shutil.rmtree(folder / runs.MODEL, ignore_errors=True)


def drop_models(trials: Path, keys: Iterable[str]) -> None:
    """Delete the models of these points."""
    for key in keys:
        for run in (trials / key, *(trials / key).glob("seed-*")):
            if runs.is_complete(run):
                remove_checkpoint(run, keep_model=False)


def _lacks(path: Path, score: str) -> DataError:
    return DataError(f"{path} has no {score}, which the sweep optimises; make the run again.")
