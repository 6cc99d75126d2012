"""A worker: takes points from the board, trains them, tells what they came to, until nothing is left or the time is up."""

import contextlib
import gc
import shutil
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import Trial

from emokit import runs
from emokit.errors import Collapsed, DataError, EmokitError, MemoryFull, UsageError
from emokit.files import write_text
from emokit.sweep import storage as storages
from emokit.sweep import trial, trial_queue
from emokit.sweep.heartbeat import HEARTBEAT_TIMEOUT_SECONDS, Heartbeat
from emokit.sweep.plan import Plan
from emokit.sweep.settings import SweepSettings
from emokit.sweep.space import suggest
from emokit.sweep.trial import Pruned, Scored
from emokit.sweep.trial_queue import HeartbeatLost, TrialQueue
from emokit.sweep.wings import TrainPoint

POLL_SECONDS = 1.0
ERROR = "error.txt"


class Stopped(Exception):
    """The time is up; the trial is left to another worker."""


@dataclass(frozen=True)
class Order:
    """What a worker's process is told."""

    run: Path
    url: str | None
    data: Path
    train: Callable[[], TrainPoint]
    """Makes what trains a point, in the worker."""
    until: float | None = None
    heartbeat_timeout_seconds: float = HEARTBEAT_TIMEOUT_SECONDS


def carry_out(order: Order) -> None:
    """What a worker's process does."""
    sweep = SweepSettings.make(runs.read_settings(order.run))
    storage = storages.open_storage(order.url, order.run, waits=True)
    Worker(Plan(sweep, order.run, storage, order.heartbeat_timeout_seconds), order.train(), order.until).work()


@dataclass(frozen=True)
class Worker:
    """One process's work on a sweep."""

    plan: Plan
    train_point: TrainPoint
    until: float | None = None
    """When to stop, in seconds since 1970; None for never."""

    def work(self) -> None:
        """Take point after point; returns when every point has ended, of the search and of what confirms it, or time is up."""
        for now in self.plan.phases():
            while not now.is_over():
                if self._is_late():
                    return
                claimed = now.claim(self.plan.seed_sampler)
                if claimed is None:
                    time.sleep(POLL_SECONDS)
                else:
                    self._carry_out(now, claimed)

    def _carry_out(self, on: TrialQueue, claimed: Trial) -> None:
        with (
            contextlib.suppress(HeartbeatLost, UpdateFinishedTrialError),
            Heartbeat(lambda count: on.beat(claimed, count)) as heart,
        ):
            try:
                self._train(on, claimed, heart)
            except Stopped:
                on.fail(claimed, trial_queue.STOPPED)
            except (KeyboardInterrupt, SystemExit):
                on.fail(claimed, trial_queue.STOPPED)
                raise
            except EmokitError:  # a full disk and the like: no fault of the point's
                on.fail(claimed, trial_queue.STOPPED)
                raise

    def _train(self, on: TrialQueue, claimed: Trial, heart: Heartbeat) -> None:
        """Train a point and tell what became of it."""
        sweep, notes = self.plan.sweep, claimed.user_attrs
        key = str(notes["point"])
        halved = bool(notes.get("halved"))
        folder = self.plan.folder_of(key)
        seeds = [int(notes["seed"])] if "seed" in notes else trial.seeds_of(sweep)
        point = suggest(sweep, claimed)
        done: list[Scored] = []
        first = folder if len(seeds) == 1 else folder / f"seed-{seeds[0]}"

        def outcome() -> dict[str, Any]:
            found = done or [scored for scored in [trial.scored(first, sweep.objective)] if scored]
            return {
                "best": sum(one.value for one in found) / len(found) if found else None,
                "best_epoch": found[0].best_epoch if found else None,
                "epochs": sum(one.epochs for one in found),
                "seconds": round(sum(one.seconds for one in found), 3),
            }

        try:
            for seed in seeds:
                run = folder if len(seeds) == 1 else folder / f"seed-{seed}"
                settings = trial.trial_settings(sweep, point, key.replace("/", "-"), seed, halved=halved)
                is_first = seed == seeds[0]

                def report(epoch: int, value: float, is_first: bool = is_first) -> None:
                    self._report(on, claimed, heart, epoch, value if is_first else None)

                done.append(trial.train_once(settings, run, sweep.objective, self.train_point, report))
                trial.remove_checkpoint(run, model=True)
        except Pruned as error:
            trial.remove_checkpoint(first, model=False)
            on.prune(claimed, "pruned", reason=str(error), **outcome())
        except Collapsed as error:
            trial.remove_checkpoint(first, model=False)
            on.prune(claimed, "collapsed", reason=str(error), **outcome())
        except MemoryFull as error:
            gc.collect()  # the model that was too large, before the next one is made
            shutil.rmtree(folder, ignore_errors=True)
            if halved:
                on.fail(claimed, trial_queue.FAILED, reason=str(error))
            else:
                on.fail(claimed, trial_queue.MEMORY)
        except (UsageError, DataError) as error:
            on.fail(claimed, trial_queue.FAILED, reason=str(error))
        except (EmokitError, Stopped, HeartbeatLost):
            raise
        except Exception as error:  # whatever one point trips over must not end the others
            write_text(folder / ERROR, traceback.format_exc())
            on.fail(claimed, trial_queue.FAILED, reason=f"{type(error).__name__}: {error}; see {folder / ERROR}")
        else:
            found = outcome()
            values = [one.value for one in done]
            on.complete(claimed, float(found["best"]), values=values, **found)
            trial.drop_models(self.plan.run / self.plan.TRIALS, self.plan.beaten_keys())

    def _report(self, on: TrialQueue, claimed: Trial, heart: Heartbeat, epoch: int, value: float | None) -> None:
        """Tell an epoch's score, and ask for no other one where there is a reason."""
        if heart.is_lost:
            raise HeartbeatLost
        if value is not None:
            on.report(claimed, epoch, value)
            if on.prunes and claimed.should_prune():
                raise Pruned(f"pruned after epoch {epoch}, where {self.plan.sweep.objective.metric} was {value:.4f}")
        if self._is_late():
            raise Stopped

    def _is_late(self) -> bool:
        return self.until is not None and time.time() >= self.until
