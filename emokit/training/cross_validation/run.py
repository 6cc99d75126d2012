"""Cross-validation: one run per fold, then the test predictions of all folds pooled into one run folder.

Each fold is an ordinary run under `folds/<name>`, so an interrupted cross-validation can be resumed. The run folder above them
holds the pooled result: `predictions/test.parquet` has every utterance once, predicted by a model that was not trained on its
speaker, and `metrics.json` has the pooled scores beside those of the folds.
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
from emokit.data.prepared import Prepared, open_prepared
from emokit.data.splits.draw import SplitSettings
from emokit.data.splits.folds import assign_folds, fold_names, split_of_fold
from emokit.errors import Collapsed, DataError, UsageError
from emokit.files import write_json, write_text
from emokit.locks import releasing
from emokit.model_card import CardFacts
from emokit.predictions import Predictions
from emokit.run_predictions import read_split
from emokit.schema.base import check, validated
from emokit.schema.metrics import Metrics
from emokit.training.cross_validation.fold_runs import Fold, TrainFold, train_by_workers, train_here
from emokit.training.hardware import num_processes
from emokit.workers import WORKERS

FOLDS = "folds"
POOLED = "test"  # the split that the folds divide among them


class FoldListener:
    """Receives the events of a cross-validation; this one ignores them."""

    def begins(self, at_once: int) -> None:
        """Workers start to train this number of folds at the same time."""

    def epoch(self, name: str, line: dict[str, Any]) -> None:
        """An epoch of a fold has ended; `line` is its line of `log.jsonl`."""

    def fold(self, name: str, fold_metrics: dict[str, Any]) -> None:
        """A fold is complete, now or since an earlier command; `fold_metrics` is its `metrics.json`."""

    def replaced(self, name: str) -> None:
        """The worker of a fold was killed and replaced."""

    def collapsed(self, name: str, error: Collapsed) -> None:
        """A fold has collapsed."""

    def progress(self, done: int, total: int) -> None:
        """The number of epochs done, and the maximum number over all folds; of folds, where they have no epochs."""


@releasing
def cross_validate(
    run: Path,
    settings: Any,
    prepared: Prepared,
    policy: str,
    train: TrainFold,
    *,
    device: str,
    card: CardFacts,
    workers: int = 1,
    devices: int = 0,
    resume: bool = False,
    force: bool = False,
    compute_features: Callable[[pandas.DataFrame], None] | None = None,
    has_epochs: bool = True,
    listener: FoldListener | None = None,
) -> dict[str, Any]:
    """Train and test each fold, and pool their test predictions.

    When a fold collapses, the others are still trained.

    Args:
        run: the run folder to make.
        settings: of the modality; every fold is trained with them.
        prepared: the data; its own splits are not used.
        policy: as `data.splits.folds.assign_folds` takes it.
        train: trains one fold.
        device: for `environment.json`.
        card: facts of the modality for the model card.
        workers: the number of folds that are trained at the same time; 1 trains them in this process.
        devices: the number of GPUs that the workers share; 0 for none.
        resume: train the folds that are not complete.
        force: replace a run folder that exists.
        compute_features: computes cached features of these rows once, before several workers start; called with the rows of all
            folds.
        has_epochs: whether a fold is trained in epochs; else progress is counted in folds.
        listener: receives events.

    Returns:
        the content of `metrics.json`: that of a run, with `folds` beside the pooled `test`.

    Raises:
        UsageError: the policy is unknown or has no folds for these corpora, the run folder exists, or several processes were
            started.
        Collapsed: a fold collapsed; the others are complete.
        EmokitError: a fold failed with another error.
    """
    if num_processes() > 1:
        raise UsageError(
            f"{num_processes()} processes were started and folds are trained in one; "
            "start one process, or train without --folds."
        )
    listener = listener or FoldListener()
    corpora, max_epochs = settings.data.corpora, settings.training.max_epochs if has_epochs else 1
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

    listener.progress(sum(done.values()), len(names) * max_epochs)
    for name in names:
        if runs.is_complete(folders[name]):
            runs.tidy(folders[name])
            fold_done(name)
    waiting = [
        Fold(name, partial(_fold_data, prepared.folder, prepared.fingerprint, corpora, policy, name), folders[name])
        for name in names
        if not runs.is_complete(folders[name])
    ]
    at_once = min(workers, len(waiting))
    if at_once > 1:
        if compute_features:
            compute_features(table)
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
    predictions.write(pooled, run / runs.PREDICTIONS / f"{POOLED}.parquet")
    result = _scored({name: _metrics(folders[name]) for name in names}, pooled, policy)
    genders = table.set_index("utterance_id")["gender"]
    result["splits"][POOLED]["per_gender"] = metrics.per_gender(pooled, genders)
    text = model_card.model_card(result, runs.read_settings(run), runs.read_environment(run), ledger, card)
    write_text(run / runs.CARD, text)
    write_json(run / runs.METRICS, validated(Metrics, result))
    return result


def names_of_folds(settings: Any, prepared: Prepared, policy: str) -> list[str]:
    """The folds that `cross_validate` would train.

    Raises:
        UsageError: the policy is unknown or has no folds for these corpora.
    """
    return fold_names(_with_folds(prepared, settings.data.corpora, policy))


def _split_settings(prepared: Prepared) -> SplitSettings:
    """The seed and the ratio of dev that the folder was prepared with."""
    return SplitSettings.make({**prepared.settings["splits"], "fold": None})


def _with_folds(prepared: Prepared, corpora: tuple[str, ...] | None, policy: str) -> pandas.DataFrame:
    """The rows of these corpora, with their folds."""
    table = prepared.table[prepared.table["corpus"].isin(corpora)] if corpora else prepared.table
    return assign_folds(table, policy, _split_settings(prepared))


def _fold_data(folder: Path, fingerprint: str, corpora: tuple[str, ...] | None, policy: str, name: str) -> Prepared:
    """The data of a fold, read in the process that trains it.

    Raises:
        DataError: the folder was prepared again since the cross-validation started.
    """
    prepared = open_prepared(folder)
    if prepared.fingerprint != fingerprint:
        raise DataError(f"{folder} was prepared again while its folds were trained; train them in another --run.")
    table = _with_folds(prepared, corpora, policy)
    divided = table.assign(split=split_of_fold(table, name, _split_settings(prepared)))
    return replace(prepared, table=divided[divided["split"].notna()].reset_index(drop=True))


def _folder_name(number: int, name: str) -> str:
    """A folder's name for a fold, whose name may be that of any speaker: `03-Joey_Chandler`."""
    return f"{number:02d}-{re.sub(r'[^A-Za-z0-9_-]', '_', name)}"


def _pooled(run: Path, folders: list[Path]) -> Predictions:
    """The folds' test predictions in one table."""
    of_folds = [read_split(folder, POOLED) for folder in folders]
    table = pandas.concat([fold.table for fold in of_folds], ignore_index=True)
    if table["utterance_id"].duplicated().any():
        raise DataError(f"{run}: an utterance is tested in two folds; prepare it with folds that do not overlap.")
    return replace(of_folds[0], table=table)


def _metrics(fold: Path) -> dict[str, Any]:
    content = runs.read_metrics(fold)
    check(Metrics, content, fold / runs.METRICS)
    return content


def _scored(fold_metrics: dict[str, dict[str, Any]], pooled: Predictions, policy: str) -> dict[str, Any]:
    """The pooled scores, the folds' scores, and the mean and deviation over folds."""
    first = next(iter(fold_metrics.values()))
    tests = {name: entry["splits"][POOLED] for name, entry in fold_metrics.items()}
    baselines = {}
    for baseline in first["splits"][POOLED]["baselines"]:
        confusion = numpy.sum([test["baselines"][baseline]["confusion"] for test in tests.values()], axis=0)
        scores = {name: float(value[0]) for name, value in metrics.class_scores(confusion[None]).items()}
        of_first = {**first["splits"][POOLED]["baselines"][baseline]}
        of_first.pop("interval", None)  # not pooled
        baselines[baseline] = {**of_first, **scores, "confusion": confusion.tolist()}
    folds = {name: {score: test[score] for score in ("n", *metrics.INTERVALS)} for name, test in tests.items()}
    values = {score: [fold[score] for fold in folds.values()] for score in metrics.INTERVALS}
    return {
        **{key: first[key] for key in ("name", "modality", "model", "parameters", "declared") if key in first},
        "epochs": sum(entry["epochs"] for entry in fold_metrics.values()),
        "labels": first["labels"],
        "policy": policy,
        "folds": folds,
        "over_folds": {
            score: {
                "mean": float(numpy.mean(of_folds)),
                "deviation": float(numpy.std(of_folds, ddof=1)) if len(of_folds) > 1 else 0.0,
            }
            for score, of_folds in values.items()
        },
        "splits": {POOLED: metrics.score(pooled) | {"baselines": baselines}},
    }
