"""Cross-validation: one run per fold, then every utterance's test prediction pooled into one run folder.

Each fold is a run like any other under `folds/<name>`, so that an interrupted cross-validation goes on where it stopped.
What it means for a whole corpus stands in the run folder above them: `predictions/test.parquet` has every utterance once, each
predicted by the model that had not seen its speaker, and `metrics.json` the pooled scores beside those of the folds.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pandas

from emokit import card, metrics, predictions, runs
from emokit.data.folds import assign_folds, fold_names, split_of_fold
from emokit.data.prepared import SETTINGS, Prepared
from emokit.data.splits import SplitSettings
from emokit.errors import DataError, UsageError
from emokit.files import write_json, write_text
from emokit.labels import LABELS
from emokit.predictions import Predictions
from emokit.settings import Settings, read_yaml_mapping
from emokit.training.hardware import num_processes

FOLDS = "folds"

# (a fold's data, its run folder) -> what its metrics.json holds
TrainFold = Callable[[Prepared, Path], dict[str, Any]]


def cross_validate(
    run: Path,
    settings: Settings,
    prepared: Prepared,
    corpora: tuple[str, ...] | None,
    policy: str,
    train: TrainFold,
    *,
    seed: int,
    device: str,
    resume: bool = False,
    force: bool = False,
    on_fold: Callable[[str, dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Train and test each fold, and pool what they say of their test utterances.

    Args:
        run: the run folder to make.
        settings: the experiment, as every fold is trained with.
        prepared: the data; its own splits play no part.
        corpora: the corpora that are divided into folds; None for all.
        policy: as `data.folds.assign_folds` takes it.
        train: trains one fold.
        seed, device: for the environment.
        resume: go on with the folds that are not complete.
        force: replace a run folder that exists.
        on_fold: called after each fold with its name and scores.

    Returns:
        what `metrics.json` holds: as that of a run, with `folds` beside the pooled `test`.

    Raises:
        UsageError: the policy is unknown or has no folds for these corpora, the run folder exists, or several processes were
            started.
    """
    if num_processes() > 1:
        raise UsageError(
            f"{num_processes()} processes were started and folds are trained in one; "
            "start one process, or train without --folds."
        )
    table = prepared.table[prepared.table["corpus"].isin(corpora)] if corpora else prepared.table
    # The seed and the share of dev are those that the folder was prepared with.
    division = SplitSettings.make({**read_yaml_mapping(prepared.folder / SETTINGS)["splits"], "fold": None})
    table = assign_folds(table, policy, division)
    names = fold_names(table)
    folders = {name: run / FOLDS / _folder_name(number, name) for number, name in enumerate(names, start=1)}
    runs.start(
        run,
        settings,
        seed=seed,
        device=device,
        data=prepared.folder,
        fingerprint=prepared.fingerprint,
        resume=resume,
        force=force,
    )
    ledger = prepared.ledger_of(table["corpus"].unique())
    write_json(run / runs.LEDGER, ledger)
    found = {}
    for name in names:
        folder = folders[name]
        if not runs.is_complete(folder):
            divided = table.assign(split=split_of_fold(table, name, division))
            train(replace(prepared, table=divided[divided["split"].notna()].reset_index(drop=True)), folder)
        found[name] = runs.read_metrics(folder)
        if on_fold:
            on_fold(name, found[name])
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
