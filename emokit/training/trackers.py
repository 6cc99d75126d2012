"""Trackers of a training, through Accelerate: TensorBoard in the run folder, Weights & Biases, MLflow.

TensorBoard gets each epoch's scalars. The other two are services: they get the same scalars, the hyperparameters, and at the end
the scores and confusion matrices. A resumed run continues there too, under the ids in `trackers.json`.
"""

import contextlib
import difflib
import importlib.util
import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from emokit import runs
from emokit.errors import UsageError, WorkError
from emokit.files import read_json, write_json
from emokit.settings import flat

TENSORBOARD = "tensorboard"
WITH_PACKAGE = ("wandb", "mlflow")
"""Trackers that are also the name of a package, and of the extra that installs it."""
NAMES = (TENSORBOARD, *WITH_PACKAGE)
IDS = "trackers.json"
PROJECT = "emokit"  # WANDB_PROJECT and MLFLOW_EXPERIMENT_NAME name another one
NOT_SCALARS = ("epoch", "best")
SCORES = ("accuracy", "uar", "weighted_f1", "macro_f1", "nll", "ece")
ADVICE = {
    "wandb": "log in with `wandb login` or set WANDB_MODE=offline",
    "mlflow": "correct MLFLOW_TRACKING_URI",
}


def read_names(text: str) -> list[str]:
    """The trackers that `--track` names, joined by commas.

    Raises:
        UsageError: one is unknown (with the nearest known one), named twice, or its package is not installed.
    """
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in NAMES:
            near = difflib.get_close_matches(name.lower(), NAMES, n=1)
            hint = f"did you mean {near[0]}?" if near else f"expected one or more of {', '.join(NAMES)}."
            raise UsageError(f"--track has the unknown tracker {name!r}; {hint}")
        if names.count(name) > 1:
            raise UsageError(f"--track has {name} twice; give it once.")
    check_packages(names)
    return names


def check_packages(names: Sequence[str]) -> None:
    """Refuse to start unless the packages of the trackers are installed.

    Raises:
        UsageError: names the extra to install.
    """
    for name in names:
        if name in WITH_PACKAGE and importlib.util.find_spec(name) is None:
            raise UsageError(
                f"The tracker {name} needs the package {name}, which is not installed; "
                f"install it with `pip install '.[{name}]'` in a clone of emokit."
            )


class Service(Protocol):
    """A service that keeps a run under an id of its own."""

    id: str

    def has_epoch(self, number: int) -> bool:
        """Whether a continued run has the scalars of an epoch."""
        ...

    def log(self, scalars: Mapping[str, float], epoch: int) -> None:
        """Log the scalars of an epoch."""
        ...

    def log_result(self, scores: Mapping[str, float], confusions: Mapping[str, Any], labels: Sequence[str]) -> None:
        """Log `test/uar`, … and each split's confusion matrix (truth, predicted); twice is as good as once."""
        ...

    def close(self, *, failed: bool) -> None:
        """End the run there."""
        ...


class WandB:
    """A run of Weights & Biases."""

    def __init__(self, run: Path, settings: Mapping[str, Any], known_id: str | None) -> None:
        import wandb
        from accelerate.tracking import WandBTracker

        self.id = known_id or uuid.uuid4().hex[:12]
        project, quiet = os.environ.get("WANDB_PROJECT", PROJECT), wandb.Settings(silent=True, console="off")
        self._tracker = WandBTracker(project, name=str(run), id=self.id, resume="allow", settings=quiet)
        self._tracker.start()
        self._tracker.store_init_configuration(dict(settings))

    def has_epoch(self, number: int) -> bool:
        """As `Service.has_epoch`; `step` is the next one that can be logged."""
        return bool(self._tracker.tracker.step > number)

    def log(self, scalars: Mapping[str, float], epoch: int) -> None:
        """As `Service.log`."""
        self._tracker.log(dict(scalars), step=epoch)

    def log_result(self, scores: Mapping[str, float], confusions: Mapping[str, Any], labels: Sequence[str]) -> None:
        """As `Service.log_result`: in the summary, and as tables."""
        self._tracker.tracker.summary.update(dict(scores))
        for split, confusion in confusions.items():
            rows = [[label, *row] for label, row in zip(labels, confusion, strict=True)]
            self._tracker.log_table(f"{split}/confusion", columns=["truth", *labels], data=rows)

    def close(self, *, failed: bool) -> None:
        """As `Service.close`."""
        self._tracker.tracker.finish(exit_code=int(failed))


class MLflow:
    """A run of MLflow."""

    def __init__(self, run: Path, settings: Mapping[str, Any], known_id: str | None) -> None:
        from accelerate.tracking import MLflowTracker

        self._tracker = MLflowTracker(PROJECT, run_name=str(run), run_id=known_id)
        self._tracker.start()
        self.id = self._tracker.tracker.info.run_id
        self._tracker.store_init_configuration(dict(settings))

    def has_epoch(self, number: int) -> bool:
        """As `Service.has_epoch`."""
        import mlflow

        history = mlflow.MlflowClient().get_metric_history(self.id, "train_loss")
        return number in {metric.step for metric in history}

    def log(self, scalars: Mapping[str, float], epoch: int) -> None:
        """As `Service.log`."""
        self._tracker.log(dict(scalars), step=epoch)

    def log_result(self, scores: Mapping[str, float], confusions: Mapping[str, Any], labels: Sequence[str]) -> None:
        """As `Service.log_result`: as metrics, once, and as pictures."""
        import mlflow

        logged = mlflow.get_run(self.id).data.metrics
        self._tracker.log({name: value for name, value in scores.items() if name not in logged})
        for split, confusion in confusions.items():
            self._tracker.log_figure(_picture(confusion, labels), f"{split}_confusion.png")

    def close(self, *, failed: bool) -> None:
        """As `Service.close`."""
        import mlflow

        mlflow.end_run("FAILED" if failed else "FINISHED")


SERVICES: dict[str, Callable[[Path, Mapping[str, Any], str | None], Service]] = {"wandb": WandB, "mlflow": MLflow}
# The services of the run that this process trains, from its first epoch to its scores: both packages keep one run per process.
_open: dict[Path, dict[str, Service]] = {}


@contextlib.contextmanager
def tracking(
    run: Path, names: Sequence[str], epoch: int, last_line: Mapping[str, Any] | None = None
) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Track epochs; the services stay open for `finish` unless an epoch fails.

    Args:
        run: the run folder.
        names: of trackers.
        epoch: the last completed epoch, 0 at the start.
        last_line: its line of the log, which a kill may have kept from a service.

    Yields:
        logs an epoch, given its line of `log.jsonl`.

    Raises:
        WorkError: a service cannot be reached.
    """
    with contextlib.ExitStack() as stack:
        writer = None
        if TENSORBOARD in names:
            from accelerate.tracking import TensorBoardTracker

            writer = TensorBoardTracker(runs.TENSORBOARD, run, purge_step=epoch + 1)
            writer.start()
            stack.callback(writer.finish)
        services = _services(run, names)
        stack.push(lambda kind, *_: _close(run, failed=True) if kind else None)
        for name, service in services.items():
            with _explained(name):
                if last_line and not service.has_epoch(epoch):
                    service.log(_scalars(last_line), epoch)

        def log(line: Mapping[str, Any]) -> None:
            if writer:
                writer.log(_scalars(line), step=line["epoch"])
            for name, service in services.items():
                with _explained(name):
                    service.log(_scalars(line), line["epoch"])

        yield log


def finish(run: Path, names: Sequence[str], metrics: Mapping[str, Any]) -> None:
    """Log the scores and confusion matrices of a run to its services, and end it there.

    Args:
        run: the run folder.
        names: of trackers.
        metrics: the content of `metrics.json`.

    Raises:
        WorkError: a service cannot be reached.
    """
    splits = metrics["splits"]
    scores = {f"{split}/{name}": of_split.get(name) for split, of_split in splits.items() for name in SCORES}
    scores = {name: float(score) for name, score in scores.items() if score is not None}
    confusions = {split: splits[split]["confusion"] for split in splits}
    try:
        for name, service in _services(run, names).items():
            with _explained(name):
                service.log_result(scores, confusions, metrics["labels"])
    except BaseException:
        _close(run, failed=True)
        raise
    _close(run, failed=False)


def _services(run: Path, names: Sequence[str]) -> dict[str, Service]:
    """The services of a run, started or continued; those of another run that ended without `finish` are closed."""
    chosen = [name for name in names if name in SERVICES]
    if run in _open or not chosen:
        return _open.get(run, {})
    for other in list(_open):
        _close(other, failed=True)
    ids = read_json(run / IDS) if (run / IDS).exists() else {}
    settings = {**flat(runs.read_settings(run)), "data_fingerprint": runs.read_environment(run)["data_fingerprint"]}
    services: dict[str, Service] = {}
    _open[run] = services
    for name in chosen:
        with _explained(name):
            services[name] = SERVICES[name](run, settings, ids.get(name))
        ids[name] = services[name].id
        write_json(run / IDS, ids)
    return services


def _close(run: Path, *, failed: bool) -> None:
    for service in _open.pop(run, {}).values():
        with contextlib.suppress(
            Exception
        ):  # the error that ends the run comes first; a service ends its run by itself, too
            service.close(failed=failed)


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    """Turn the errors of a service into a sentence.

    Raises:
        WorkError: names the service and the reason.
    """
    try:
        yield
    except Exception as error:  # the packages raise many kinds
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise WorkError(
            f"The tracker {name} failed ({reason}); {ADVICE[name]}, and continue the run with --resume."
        ) from error


def _scalars(line: Mapping[str, Any]) -> dict[str, float]:
    return {name: value for name, value in line.items() if name not in NOT_SCALARS}


def _picture(confusion: Sequence[Sequence[int]], labels: Sequence[str]) -> Any:
    """A figure of a confusion matrix (truth, predicted)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1 + 0.6 * len(labels), 1 + 0.6 * len(labels)), layout="constrained")
    axes = figure.subplots()
    axes.imshow(confusion, cmap="Blues")
    axes.set_xticks(range(len(labels)), labels, rotation=90)
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="predicted", ylabel="truth")
    most = max(map(max, confusion))
    for row, counts in enumerate(confusion):
        for column, count in enumerate(counts):
            axes.text(column, row, str(count), ha="center", va="center", color="white" if 2 * count > most else "black")
    return figure
