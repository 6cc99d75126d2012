"""A worker: claims points, trains them and stores their results, until no point is left or the deadline is reached."""

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
from emokit.safe_text import mask_secrets
from emokit.sweep import storage as storages
from emokit.sweep import trial, trial_queue
from emokit.sweep.heartbeat import HEARTBEAT_TIMEOUT_SECONDS, Heartbeat
from emokit.sweep.plan import Plan
from emokit.sweep.settings import SweepSettings
from emokit.sweep.space import suggest
from emokit.sweep.train_point import TrainPoint
from emokit.sweep.trial import Pruned, TrialScore
from emokit.sweep.trial_queue import HeartbeatLost, TrialQueue

POLL_SECONDS = 1.0
ERROR = "error.txt"


class Stopped(Exception):
    """The deadline is reached; another worker can resume the trial."""


@dataclass(frozen=True)
class Order:
    """What a worker's process is given."""

    run: Path
    url: str | None
    data: Path
    make_train_point: Callable[[], TrainPoint]
    """Makes, in the worker, the function that trains a point."""
    deadline: float | None = None
    """In seconds since 1970; None for none."""
    heartbeat_timeout_seconds: float = HEARTBEAT_TIMEOUT_SECONDS

    @property
    def resume_command(self) -> str:
        """The command that continues the sweep; a server is named in it, as no other one is contacted."""
        storage = f" --storage {storages.public_url(self.url)}" if self.url else ""
        return f"emokit sweep --resume {self.run}{storage}"


def run_worker(order: Order) -> None:
    """The work of a worker's process."""
    sweep = SweepSettings.make(runs.read_settings(order.run), str(order.run / runs.SETTINGS), DataError)
    storage = storages.open_storage(order.url, order.run, waits=True)
    plan = Plan(sweep, order.run, storage, order.heartbeat_timeout_seconds)
    Worker(plan, order.make_train_point(), order.deadline).run()


@dataclass(frozen=True)
class Worker:
    """The work of one process on a sweep."""

    plan: Plan
    train_point: TrainPoint
    deadline: float | None = None
    """In seconds since 1970; None for none."""

    def run(self) -> None:
        """Train points until all have ended, those of the confirmation included, or the deadline is reached."""
        for queue in self.plan.phases():
            while not queue.is_over():
                if self._is_late():
                    return
                claimed = queue.claim(self.plan.seed_sampler)
                if claimed is None:
                    time.sleep(POLL_SECONDS)
                else:
                    self._run_trial(queue, claimed)

    def _run_trial(self, queue: TrialQueue, claimed: Trial) -> None:
        with (
            contextlib.suppress(HeartbeatLost, UpdateFinishedTrialError),
            Heartbeat(lambda count: queue.send_heartbeat(claimed, count)) as heartbeat,
        ):
            try:
                self._train(queue, claimed, heartbeat)
            except Stopped:
                queue.fail(claimed, trial_queue.STOPPED)
            except (KeyboardInterrupt, SystemExit):
                queue.fail(claimed, trial_queue.STOPPED)
                raise
            except EmokitError:  # not caused by the point, such as a full disk
                queue.fail(claimed, trial_queue.STOPPED)
                raise

    def _train(self, queue: TrialQueue, claimed: Trial, heartbeat: Heartbeat) -> None:
        """Train a point and store its result."""
        sweep, attrs = self.plan.sweep, claimed.user_attrs
        key = str(attrs["point"])
        halved = bool(attrs.get("halved"))
        folder = self.plan.folder_of(key)
        seeds = [int(attrs["seed"])] if "seed" in attrs else trial.seeds_of(sweep)
        point = suggest(sweep, claimed)
        finished: list[TrialScore] = []
        first = folder if len(seeds) == 1 else folder / f"seed-{seeds[0]}"

        def result() -> dict[str, Any]:
            scores = finished or [score for score in [trial.read_score(first, sweep.objective)] if score]
            return {
                "best": sum(score.value for score in scores) / len(scores) if scores else None,
                "best_epoch": scores[0].best_epoch if scores else None,
                "epochs": sum(score.epochs for score in scores),
                "seconds": round(sum(score.seconds for score in scores), 3),
            }

        try:
            for seed in seeds:
                run = folder if len(seeds) == 1 else folder / f"seed-{seed}"
                settings = trial.trial_settings(sweep, point, key.replace("/", "-"), seed, halved=halved)
                is_first = seed == seeds[0]

                def report(epoch: int, value: float, is_first: bool = is_first) -> None:
                    self._report(queue, claimed, heartbeat, epoch, value if is_first else None)

                finished.append(trial.train_once(settings, run, sweep.objective, self.train_point, report))
                trial.remove_checkpoint(run, keep_model=True)
        except Pruned as error:
            trial.remove_checkpoint(first, keep_model=False)
            queue.prune(claimed, "pruned", reason=str(error), **result())
        except Collapsed as error:
            trial.remove_checkpoint(first, keep_model=False)
            queue.prune(claimed, "collapsed", reason=str(error), **result())
        except MemoryFull as error:
            gc.collect()  # frees the model that was too large before the next one is made
            shutil.rmtree(folder, ignore_errors=True)
            if halved:
                queue.fail(claimed, trial_queue.FAILED, reason=mask_secrets(str(error)))
            else:
                queue.fail(claimed, trial_queue.MEMORY)
        except (UsageError, DataError) as error:
            queue.fail(claimed, trial_queue.FAILED, reason=mask_secrets(str(error)))
        except (EmokitError, Stopped, HeartbeatLost):
            raise
        except Exception as error:  # an unexpected error at one point must not stop the others
            write_text(folder / ERROR, mask_secrets(traceback.format_exc()))
            queue.fail(
                claimed,
                trial_queue.FAILED,
                reason=f"{type(error).__name__}: {mask_secrets(str(error))}; see {folder / ERROR}",
            )
        else:
            scores = result()
            queue.complete(claimed, float(scores["best"]), values=[score.value for score in finished], **scores)
            trial.drop_models(self.plan.run / self.plan.TRIALS, self.plan.other_keys())

    def _report(self, queue: TrialQueue, claimed: Trial, heartbeat: Heartbeat, epoch: int, value: float | None) -> None:
        """Store an epoch's score, and raise if the training is to stop."""
        if heartbeat.is_lost:
            raise HeartbeatLost
        if value is not None:
            queue.report(claimed, epoch, value)
            if queue.prunes and claimed.should_prune():
                raise Pruned(f"pruned after epoch {epoch} with {self.plan.sweep.objective.metric} {value:.4f}")
        if self._is_late():
            raise Stopped

    def _is_late(self) -> bool:
        return self.deadline is not None and time.time() >= self.deadline
