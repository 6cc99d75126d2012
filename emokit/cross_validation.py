"""Cross-validation: one run per fold, then every utterance's test prediction pooled into one run folder.

Each fold is a run like any other under `folds/<name>`, so that an interrupted cross-validation goes on where it stopped.
What it means for a whole corpus stands in the run folder above them: `predictions/test.parquet` has every utterance once, each
predicted by the model that had not seen its speaker, and `metrics.json` the pooled scores beside those of the folds.
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pandas

from emokit import card, crew, metrics, predictions, runs
from emokit.data.folds import assign_folds, fold_names, split_of_fold
from emokit.data.prepared import SETTINGS, Prepared
from emokit.data.splits import SplitSettings
from emokit.errors import Collapsed, DataError, UsageError
from emokit.files import write_json, write_text
from emokit.fold_runs import Fold, OnEpoch, TrainFold, train_by_workers, train_here
from emokit.labels import LABELS
from emokit.predictions import Predictions
from emokit.settings import read_yaml_mapping
from emokit.training.hardware import num_processes

FOLDS = "folds"


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
    on_epoch: OnEpoch = lambda name, line: None,
    on_fold: Callable[[str, dict[str, Any]], None] = lambda name, found: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
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
        on_epoch: told of each epoch.
        on_fold: told of each complete fold, those that were complete before first.
        progress: called with (epochs done, epochs of all folds at most).

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
    corpora = settings.data.corpora
    table = prepared.table[prepared.table["corpus"].isin(corpora)] if corpora else prepared.table
    # The seed and the share of dev are those that the folder was prepared with.
    division = SplitSettings.make({**read_yaml_mapping(prepared.folder / SETTINGS)["splits"], "fold": None})
    table = assign_folds(table, policy, division)
    names = fold_names(table)
    folders = {name: run / FOLDS / _folder_name(number, name) for number, name in enumerate(names, start=1)}
    runs.start(
        run,
        settings,
        seed=settings.training.seed,
        device=device,
        data=prepared.folder,
        fingerprint=prepared.fingerprint,
        resume=resume,
        force=force,
    )
    ledger = prepared.ledger_of(table["corpus"].unique())
    write_json(run / runs.LEDGER, ledger)
    done = dict.fromkeys(names, 0)

    def heard(name: str, epoch: dict[str, Any]) -> None:
        done[name] = epoch["epoch"]
        progress(sum(done.values()), len(names) * settings.training.max_epochs)
        on_epoch(name, epoch)

    def ended(name: str) -> None:
        done[name] = settings.training.max_epochs
        progress(sum(done.values()), len(names) * settings.training.max_epochs)
        on_fold(name, runs.read_metrics(folders[name]))

    waiting = [name for name in names if not runs.is_complete(folders[name])]
    for name in names:
        if name not in waiting:
            ended(name)

    def folds() -> Iterator[Fold]:
        for name in waiting:
            divided = table.assign(split=split_of_fold(table, name, division))
            data = replace(prepared, table=divided[divided["split"].notna()].reset_index(drop=True))
            yield Fold(name, data, folders[name])

    trained = (
        train_here(folds(), train, heard)
        if workers == 1
        else train_by_workers(folds(), train, heard, run / crew.WORKERS, workers, devices)
    )
    collapsed = {}
    with contextlib.closing(trained):
        for name, error in trained:
            if error:
                collapsed[name] = error
            else:
                ended(name)
    if collapsed:
        name, error = next(iter(collapsed.items()))
        raise Collapsed(f"{len(collapsed)} of {len(names)} folds collapsed, the first {name}: {error}")
    found = {name: runs.read_metrics(folders[name]) for name in names}
    pooled = _pooled(run, list(folders.values()))
    predictions.write(pooled, run / "predictions" / "test.parquet")
    result = _scored(found, pooled, policy)
    sexes = table.set_index("utterance_id")["gender"]
    result["splits"]["test"]["per_gender"] = metrics.per_gender(pooled, sexes)
    write_text(
        run / runs.CARD,
        card.model_card(result, runs.read_settings(run), runs.read_environment(run), ledger),
    )
    write_json(run / runs.METRICS, result)
    return result


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
        **{key: first[key] for key in ("name", "kind", "model", "parameters", "declared") if key in first},
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
