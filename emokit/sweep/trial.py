"""One trial: a point trained in its run folder, seed by seed, reported epoch by epoch, and kept small."""

import contextlib
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emokit import runs
from emokit.errors import DataError
from emokit.files import explained_disk_errors
from emokit.settings import Settings
from emokit.sweep.settings import ObjectiveSettings, SweepSettings
from emokit.sweep.space import settings_of
from emokit.sweep.wings import TrainPoint

# (epoch, its score): raises to ask for no other epoch
Report = Callable[[int, float], None]


class Pruned(Exception):
    """The pruner wants no other epoch of this point."""


@dataclass(frozen=True)
class Scored:
    """What a training came to on dev."""

    value: float
    """The kept epoch's score; the best one's by this metric where the best on dev is kept."""
    best_epoch: int
    epochs: int
    seconds: float
    """Spent in epochs."""


def seeds_of(sweep: SweepSettings) -> list[int]:
    """The seeds that every point of the search is trained with."""
    first = int(sweep.experiment.settings["training"]["seed"])
    return [first + number for number in range(sweep.seeds)]


def fresh_seeds(sweep: SweepSettings) -> list[int]:
    """The seeds that the best points are trained with again: none that they were chosen by."""
    return [seeds_of(sweep)[-1] + number for number in range(1, sweep.confirm.seeds + 1)]


def trial_settings(sweep: SweepSettings, point: dict[str, Any], name: str, seed: int, *, halved: bool) -> Settings:
    """The experiment at a point; `halved` takes the same steps from batches of half the size."""
    changes: dict[str, Any] = point | {"name": f"{sweep.name}-{name}", "training.seed": seed}
    settings = settings_of(sweep, changes)
    if not halved:
        return settings
    recipe = settings.as_dict()["training"]
    smaller = {
        "training.batch_size": max(2, recipe["batch_size"] // 2),
        "training.gradient_accumulation_steps": 2 * recipe["gradient_accumulation_steps"],
    }
    return settings_of(sweep, changes | smaller)


def train_once(
    settings: Settings, folder: Path, objective: ObjectiveSettings, train_point: TrainPoint, report: Report
) -> Scored:
    """Train one seed of a point, or go on with it; a folder that cannot be gone on with is begun anew."""
    key = f"dev_{objective.metric}"

    def on_epoch(line: dict[str, Any]) -> None:
        report(int(line["epoch"]), float(line[key]))

    if not runs.is_complete(folder):
        runs.clear_unless_begun(folder)
        try:
            train_point(settings, folder, on_epoch)
        except DataError:
            if not (folder / runs.CHECKPOINT).exists():
                raise
            shutil.rmtree(folder)  # the checkpoint is damaged
            train_point(settings, folder, on_epoch)
    if found := scored(folder, objective):
        return found
    # A model that is fitted at once has no epochs; the mean loss of dev is the negative log-likelihood there.
    name = "nll" if objective.metric == "loss" else objective.metric
    return Scored(float(runs.read_metrics(folder)["splits"]["dev"][name]), 0, 0, 0)


def scored(folder: Path, objective: ObjectiveSettings) -> Scored | None:
    """What a run's log says so far; None before its first epoch."""
    log = runs.read_log(folder)
    if not log:
        return None
    if runs.read_settings(folder).get("training", {}).get("checkpoint") == "last":
        best = log[-1]
    else:
        choose = min if objective.is_lowered else max
        best = choose(log, key=lambda line: float(line[f"dev_{objective.metric}"]))
    seconds = sum(float(line.get("seconds", 0)) for line in log)
    return Scored(float(best[f"dev_{objective.metric}"]), int(best["epoch"]), len(log), seconds)


def remove_checkpoint(folder: Path, *, model: bool) -> None:
    """Delete the checkpoint of a training that has ended, and its model unless it is to be kept."""
    with contextlib.suppress(FileNotFoundError), explained_disk_errors(folder):
        shutil.rmtree(folder / Path(runs.CHECKPOINT).parts[0], ignore_errors=True)
        if not model:
            shutil.rmtree(folder / runs.MODEL, ignore_errors=True)


def drop_models(trials: Path, keys: Iterable[str]) -> None:
    """Delete the models of these points."""
    for key in keys:
        for run in (trials / key, *(trials / key).glob("seed-*")):
            if runs.is_complete(run):
                remove_checkpoint(run, model=False)
