"""Cross-validation: one run per fold, then every utterance's test prediction pooled into one run folder.

Each fold is a run like any other under `folds/<name>`, so that an interrupted cross-validation goes on where it stopped.
What it means for a whole corpus stands in the run folder above them: `predictions/test.parquet` has every utterance once, each
predicted by the model that had not seen its speaker, and `metrics.json` the pooled scores beside those of the folds.
"""

import contextlib
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import pandas

from emokit import metrics, model_card, predictions, runs
from emokit.data.prepared import SETTINGS, Prepared, open_prepared
from emokit.data.splits.draw import SplitSettings
from emokit.data.splits.folds import assign_folds, fold_names, split_of_fold
from emokit.errors import Collapsed, DataError, UsageError
from emokit.files import write_json, write_text
from emokit.labels import LABELS
from emokit.predictions import Predictions
from emokit.schema.base import validated
from emokit.schema.metrics import Metrics
from emokit.settings import read_yaml_mapping
from emokit.training.cross_validation.fold_runs import Fold, TrainFold, train_by_workers, train_here
from emokit.training.hardware import num_processes
from emokit.workers import WORKERS

FOLDS = "folds"


class FoldListener:
    """Is told how a cross-validation gets on; this one does not care."""

    def begins(self, at_once: int) -> None:
        """So many folds are trained at once from now on."""

    def epoch(self, name: str, line: dict[str, Any]) -> None:
        """An epoch of a fold has ended, with this line of its `log.jsonl`."""

    def fold(self, name: str, found: dict[str, Any]) -> None:
        """A fold is complete, now or from an earlier time, with this `metrics.json`."""

    def replaced(self, name: str) -> None:
        """A fold's worker was killed, and another goes on with it."""

    def collapsed(self, name: str, error: Collapsed) -> None:
        """A fold has collapsed."""

    def progress(self, done: int, total: int) -> None:
        """So many epochs are done, of all folds' at most."""


def cross_validate(
    run: Path,
    settings: Any,
    prepared: Prepared,
    policy: str,
    train: TrainFold,
    *,
    device: str,
    workers: int = 1,
    devices: int = 0,
    resume: bool = False,
    force: bool = False,
    read_ahead: Callable[[pandas.DataFrame], None] | None = None,
    listener: FoldListener | None = None,
) -> dict[str, Any]:
    """Train and test each fold, and pool what they say of their test utterances.

    A fold that collapses does not keep the others from their work.

    Args:
        run: the run folder to make.
        settings: the experiment, audio or text, that every fold is trained with.
        prepared: the data; its own splits play no part.
        policy: as `data.folds.assign_folds` takes it.
        train: trains one fold.
        device: for the environment.
        workers: how many folds are trained at once; 1 trains them in this process.
        devices: GPUs that the workers share, one each in turn; 0 for none.
        resume: go on with the folds that are not complete.
        force: replace a run folder that exists.
        read_ahead: reads what several trainings would read at once; called with the rows of all folds.
        listener: is told how it gets on.

    Returns:
        what `metrics.json` holds: as that of a run, with `folds` beside the pooled `test`.

    Raises:
        UsageError: the policy is unknown or has no folds for these corpora, the run folder exists, or several processes were
            started.
        Collapsed: a fold did; the others are complete.
        EmokitError: what else ended a fold's training.
    """
    if num_processes() > 1:
        raise UsageError(
            f"{num_processes()} processes were started and folds are trained in one; "
            "start one process, or train without --folds."
        )
    listener = listener or FoldListener()
    corpora, max_epochs = settings.data.corpora, settings.training.max_epochs
    table = _with_folds(prepared, corpora, policy)
    names = fold_names(table)
    folders = {name: run / FOLDS / _folder_name(number, name) for number, name in enumerate(names, start=1)}
    runs.start(
        run,
        settings,
        seed=settings.training.seed,
        device=device,
        data=prepared.folder,
        fingerprint=prepared.fingerprint,
        folds=policy,
        resume=resume,
        force=force,
    )
    ledger = prepared.ledger_of(table["corpus"].unique())
    write_json(run / runs.LEDGER, ledger)
    done = {name: runs.last_epoch(folders[name]) for name in names}

    def epoch_done(name: str, line: dict[str, Any]) -> None:
        done[name] = int(line["epoch"])
        listener.progress(sum(done.values()), len(names) * max_epochs)
        listener.epoch(name, line)

    def fold_done(name: str, error: Collapsed | None = None) -> None:
        done[name] = max_epochs
        listener.progress(sum(done.values()), len(names) * max_epochs)
        if error:
            listener.collapsed(name, error)
        else:
            listener.fold(name, runs.read_metrics(folders[name]))

    for name in names:
        if runs.is_complete(folders[name]):
            fold_done(name)
    waiting = [
        Fold(name, partial(_fold_data, prepared.folder, prepared.fingerprint, corpora, policy, name), folders[name])
        for name in names
        if not runs.is_complete(folders[name])
    ]
    at_once = min(workers, len(waiting))
    if at_once > 1:
        if read_ahead:
            read_ahead(table)
        listener.begins(at_once)
        trained = train_by_workers(waiting, train, epoch_done, listener.replaced, run / WORKERS, at_once, devices)
    else:
        trained = train_here(waiting, train, epoch_done)
    collapsed = {}
    with contextlib.closing(trained):
        for name, error in trained:
            fold_done(name, error)
            if error:
                collapsed[name] = error
    if collapsed:
        first = next(name for name in names if name in collapsed)
        raise Collapsed(
            f"{len(collapsed)} of {len(names)} folds collapsed, so nothing is pooled; name another --run for other settings "
            f"(fold {first}: {collapsed[first]})"
        )
    pooled = _pooled(run, list(folders.values()))
    found = {name: runs.read_metrics(folders[name]) for name in names}
    predictions.write(pooled, run / "predictions" / "test.parquet")
    result = _scored(found, pooled, policy)
    sexes = table.set_index("utterance_id")["gender"]
    result["splits"]["test"]["per_gender"] = metrics.per_gender(pooled, sexes)
    write_text(
        run / runs.CARD,
        model_card.model_card(result, runs.read_settings(run), runs.read_environment(run), ledger),
    )
    write_json(run / runs.METRICS, validated(Metrics, result))
    return result


def _division(prepared: Prepared) -> SplitSettings:
    """The seed and the share of dev that the folder was prepared with."""
    return SplitSettings.make({**read_yaml_mapping(prepared.folder / SETTINGS)["splits"], "fold": None})


def _with_folds(prepared: Prepared, corpora: tuple[str, ...] | None, policy: str) -> pandas.DataFrame:
    """The rows of these corpora, with their folds."""
    table = prepared.table[prepared.table["corpus"].isin(corpora)] if corpora else prepared.table
    return assign_folds(table, policy, _division(prepared))


def _fold_data(folder: Path, fingerprint: str, corpora: tuple[str, ...] | None, policy: str, name: str) -> Prepared:
    """The data of a fold, opened anew by whoever trains it.

    Raises:
        DataError: they are no longer those that the cross-validation was begun on.
    """
    prepared = open_prepared(folder)
    if prepared.fingerprint != fingerprint:
        raise DataError(
            f"{folder} was prepared anew while folds of it were trained; train them again in another --run."
        )
    table = _with_folds(prepared, corpora, policy)
    divided = table.assign(split=split_of_fold(table, name, _division(prepared)))
    return replace(prepared, table=divided[divided["split"].notna()].reset_index(drop=True))


def _folder_name(number: int, name: str) -> str:
    """A folder's name from a fold's, which may be any speaker's: `03-Joey_Chandler`."""
    return f"{number:02d}-{re.sub(r'[^A-Za-z0-9_-]', '_', name)}"


def _pooled(run: Path, folders: list[Path]) -> Predictions:
    """The folds' test predictions in one table."""
    of_folds = [predictions.read(folder / "predictions" / "test.parquet") for folder in folders]
    table = pandas.concat([fold.table for fold in of_folds], ignore_index=True)
    if table["utterance_id"].duplicated().any():
        raise DataError(f"{run}: an utterance is tested in two folds; prepare it with folds that do not overlap.")
    return Predictions(table, of_folds[0].model, of_folds[0].fingerprint)


def _scored(found: dict[str, dict[str, Any]], pooled: Predictions, policy: str) -> dict[str, Any]:
    """The pooled scores, the folds' own, and their mean and spread."""
    first = next(iter(found.values()))
    tests = {name: metrics_of["splits"]["test"] for name, metrics_of in found.items()}
    baselines = {}
    for baseline in ("majority", "simple"):
        confusion = numpy.sum([test["baselines"][baseline]["confusion"] for test in tests.values()], axis=0)
        scores = {name: float(value[0]) for name, value in metrics.class_scores(confusion[None]).items()}
        kept = {
            key: value for key, value in first["splits"]["test"]["baselines"][baseline].items() if key != "interval"
        }
        baselines[baseline] = {
            **kept,
            **scores,
            "confusion": confusion.tolist(),
        }
    folds = {name: {score: test[score] for score in ("n", *metrics.INTERVALS)} for name, test in tests.items()}
    return {
        **{key: first[key] for key in ("name", "modality", "model", "parameters", "declared") if key in first},
        "epochs": sum(metrics_of["epochs"] for metrics_of in found.values()),
        "labels": list(LABELS),
        "policy": policy,
        "folds": folds,
        "over_folds": {
            score: {
                "mean": float(numpy.mean([fold[score] for fold in folds.values()])),
                "deviation": float(numpy.std([fold[score] for fold in folds.values()], ddof=1))
                if len(folds) > 1
                else 0.0,
            }
            for score in metrics.INTERVALS
        },
        "splits": {"test": metrics.score(pooled) | {"baselines": baselines}},
    }
