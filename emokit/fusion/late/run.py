"""Fuses predictions of several modalities into a run folder; test is scored once, at the end.

settings.yaml  environment.json  ledger.json  fusion.json  predictions/{dev,test}.parquet  README.md  metrics.json (last)
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import pandas

from emokit import metrics, model_card, predictions, runs
from emokit.data.prepared import genders
from emokit.data.utterance import HELD_OUT
from emokit.errors import DataError, UsageError
from emokit.files import refuse_inputs, write_json, write_text
from emokit.fusion.late import bootstrap, fusion_methods
from emokit.fusion.late.combine import Weighted, tempered
from emokit.fusion.late.inputs import FUSED, Branch, Panel, join, read
from emokit.fusion.late.modality import LATE_FUSION
from emokit.fusion.late.search import SCORE_TOLERANCE
from emokit.fusion.late.settings import FusionSettings, SearchSettings
from emokit.fusion.late.simplex import num_points
from emokit.fusion.late.wording import equal_modalities, verdict
from emokit.locks import release
from emokit.schema.base import read_checked, validated
from emokit.schema.fusion import FUSION, Fusion
from emokit.schema.ledger import Ledger
from emokit.schema.metrics import Metrics


def fuse(
    settings: FusionSettings, paths: Mapping[str, Sequence[Path]], run: Path, *, force: bool = False
) -> dict[str, Any]:
    """Read, join, search, evaluate, and complete the run folder.

    Args:
        settings: the settings; `branches` and `result` are filled in here.
        paths: per modality its run folder or tables.
        run: the run folder to make.
        force: replace a run folder that exists.

    Returns:
        the content of `fusion.json`; `metrics.json` is read with `runs.read_metrics`.

    Raises:
        UsageError: the run folder exists.
        DataError: the predictions break the contract or contradict each other.
        WorkError: the disk is full.
    """
    check_startable(paths, run, force=force)
    branches, panels, counts = read_inputs(settings, paths)
    sources = {branch.name: tuple(_relative(source, run) for source in branch.sources) for branch in branches}
    settings = settings.model_copy(update={"branches": sources, "result": None})
    fingerprint = next((branch.predictions.fingerprint for branch in branches if branch.predictions.fingerprint), "")
    runs.start(run, settings, seed=settings.fusion.seed, device="cpu", fingerprint=fingerprint, force=force)
    try:
        return _fuse(settings, branches, panels, counts, sources, run, fingerprint)
    finally:
        release(run)


def check_startable(paths: Mapping[str, Sequence[Path]], run: Path, *, force: bool = False) -> None:
    """Refuse a run folder that `fuse` refuses before it reads predictions.

    Raises:
        UsageError: it exists, or is one of the predictions.
    """
    if (run / runs.SETTINGS).exists() and not force:
        raise UsageError(f"{run} exists; add --force to replace it, or name another --run.")
    refuse_inputs(run, [source for sources in paths.values() for source in sources])
    runs.check_startable(run, resume=False, force=force)


def _fuse(
    settings: FusionSettings,
    branches: Sequence[Branch],
    panels: Mapping[str, Panel],
    counts: Mapping[str, Any],
    sources: Mapping[str, Sequence[str]],
    run: Path,
    fingerprint: str,
) -> dict[str, Any]:
    """Search, evaluate, and complete a run folder that was started."""
    ledgers = [branch.run / runs.LEDGER for branch in branches if branch.run]
    ledger: dict[str, Any] = next((read_checked(Ledger, path) for path in ledgers if path.exists()), {})
    if ledger:
        write_json(run / runs.LEDGER, ledger)

    fusion, chosen = evaluate(panels, settings.fusion)
    fusion["joined"] = counts
    if declared := [*_declared(branches), *equal_modalities(panels)]:
        fusion["declared"] = "; ".join(declared)
    fusion["sources"] = {
        branch.name: {
            "model": branch.predictions.model,
            "fingerprint": branch.predictions.fingerprint,
            "paths": list(sources[branch.name]),
        }
        for branch in branches
    }
    settings = settings.model_copy(update={"result": chosen.as_result(panels["dev"].names)})
    write_text(run / runs.SETTINGS, settings.as_yaml())
    write_json(run / FUSION, validated(Fusion, fusion))
    folders = (runs.read_environment(branch.run).get("data") for branch in branches if branch.run)
    known = (genders(folder) for folder in folders)
    gender = next((series for series in known if not series.empty), genders(None))
    _complete(run, settings, panels, chosen, fusion, fingerprint, ledger, gender)
    return fusion


def read_inputs(
    settings: FusionSettings, paths: Mapping[str, Sequence[Path]]
) -> tuple[list[Branch], dict[str, Panel], dict[str, dict[str, int]]]:
    """The branches, their panels per split, and the counts of utterances that lack a modality.

    Raises:
        DataError: the branches cannot be joined, or a split has a single cluster, which cannot be folded or resampled.
    """
    branches = read(paths, settings.fusion.label_map)
    panels, counts = join(branches, settings.fusion.missing)
    for split, panel in panels.items():
        if len(numpy.unique(panel.clusters)) < 2:
            raise DataError(
                f"All {len(panel.table)} {split} utterances have the same speaker or dialogue, so the uncertainty of the "
                "weights cannot be estimated; predict a split with two or more speakers or dialogues."
            )
    return branches, panels, counts


def evaluate(panels: Mapping[str, Panel], settings: SearchSettings) -> tuple[dict[str, Any], Weighted]:
    """Fit and score all fusion methods; returns the content of `fusion.json` and the chosen weights."""
    dev, test = panels["dev"], panels["test"]
    calibrated, temperatures = fusion_methods.calibrated(dev, settings)
    searched = fusion_methods.search(calibrated, settings)
    methods = fusion_methods.fit(dev, settings)
    out_of_fold = fusion_methods.out_of_fold(dev, settings.folds, lambda panel: fusion_methods.fit(panel, settings))
    on_test = {name: method.pooled(test) for name, method in methods.items()}
    compared = {
        "dev": fusion_methods.compare(dev, out_of_fold, settings.seed),
        "test": fusion_methods.compare(test, on_test, settings.seed),
    }
    chosen = methods[settings.choice]
    if not isinstance(chosen, Weighted):
        raise TypeError(f"{settings.choice} has no weights")
    entries = []
    for name, method in methods.items():
        title, description = fusion_methods.FUSION_METHODS[name]
        entry: dict[str, Any] = {"name": name, "title": title, "about": description}
        if isinstance(method, Weighted):
            entry |= {"weights": method.fractions, "pooling": method.pooling}
        entries.append(entry | {split: compared[split][name] for split in HELD_OUT})
    single = methods["single"]
    best_single = dev.names[int(numpy.argmax(single.weights))] if isinstance(single, Weighted) else ""
    fusion = {
        "modalities": list(dev.names),
        "labels": list(dev.labels),
        "settings": settings.as_dict(),
        "clusters": {split: len(numpy.unique(panel.clusters)) for split, panel in panels.items()},
        "cluster": metrics.cluster_noun(dev.table),
        "choice": settings.choice,
        "best_single": best_single,
        "search": _search(searched, settings),
        "grid": _grid(searched, settings),
        "bootstrap": bootstrap.bootstrap(searched, settings.resamples, settings.seed),
        "fusion_methods": entries,
        "calibration": _calibration(panels, temperatures, chosen),
        "confusion": {
            name: {split: _confusion(panel, position) for split, panel in panels.items()}
            for position, name in enumerate(dev.names)
        },
    }
    fusion["verdict"] = verdict(fusion)
    return fusion, chosen


def _confusion(panel: Panel, position: int) -> list[list[int]]:
    """The confusion matrix of one modality alone; rows are the truth."""
    predicted = panel.probabilities[position].argmax(axis=1)
    counts: list[list[int]] = metrics.confusion_matrix(panel.targets, predicted, len(panel.labels)).tolist()
    return counts


def _search(searched: fusion_methods.Searched, settings: SearchSettings) -> dict[str, Any]:
    weights, pooling = searched.points.at(searched.best)
    grid_size = num_points(len(weights), settings.steps) * len(searched.points.weights)
    return {
        "evaluated": len(searched.points),
        "points": grid_size,
        "exact": len(searched.points) == grid_size,
        "best": list(weights),
        "pooling": pooling,
        "score": float(searched.scores[searched.best]),
        "ties": int((searched.scores >= searched.scores[searched.best] - SCORE_TOLERANCE).sum()),
    }


def _grid(searched: fusion_methods.Searched, settings: SearchSettings) -> dict[str, Any]:
    """The points of the best pooling, for the map of weights: weights in steps, scores, intervals, and the plateau."""
    on_plateau, bounds = bootstrap.plateau(searched, settings.resamples, settings.seed)
    _, pooling = searched.points.at(searched.best)
    first = 0
    for name, weights in searched.points.weights.items():
        rows = slice(first, first + len(weights))
        first += len(weights)
        if name == pooling:
            plateau = weights[on_plateau[rows]] / settings.steps
            return {
                "weights": weights.tolist(),
                "score": searched.scores[rows].tolist(),
                "low": bounds[rows, 0].tolist(),
                "high": bounds[rows, 1].tolist(),
                "plateau": on_plateau[rows].astype(int).tolist(),
                "plateau_weights": numpy.stack([plateau.min(axis=0), plateau.max(axis=0)], axis=1).tolist(),
            }
    raise ValueError(f"no points of {pooling} pooling")


def _calibration(panels: Mapping[str, Panel], temperatures: Sequence[float], chosen: Weighted) -> dict[str, Any]:
    """Calibration before and after temperature scaling: of each modality where it is present, and of the fusion."""
    uncalibrated = Weighted(chosen.weights, chosen.pooling, chosen.temperatures)
    result: dict[str, Any] = {}
    for position, name in enumerate(panels["dev"].names):
        result[name] = {"temperature": temperatures[position]}
        for split, panel in panels.items():
            present = panel.present[position]
            probabilities, targets = panel.probabilities[position][present], panel.targets[present]
            result[name][split] = {
                "before": metrics.quality(probabilities, targets),
                "after": metrics.quality(tempered(probabilities, temperatures[position]), targets),
            }
    result[FUSED] = {"temperature": chosen.temperature} | {
        split: {
            "before": metrics.quality(uncalibrated.pooled(panel), panel.targets),
            "after": metrics.quality(chosen.pooled(panel), panel.targets),
        }
        for split, panel in panels.items()
    }
    return result


def _complete(
    run: Path,
    settings: FusionSettings,
    panels: Mapping[str, Panel],
    chosen: Weighted,
    fusion: Mapping[str, Any],
    fingerprint: str,
    ledger: Mapping[str, Any],
    gender: pandas.Series,
) -> None:
    """Write predictions, model card and, last, `metrics.json`."""
    best, labels = fusion["best_single"], panels["dev"].labels
    splits = {}
    for split, panel in panels.items():
        fused = predictions.make(
            panel.table, chosen.pooled(panel), labels=labels, model=settings.name, fingerprint=fingerprint
        )
        predictions.write(fused, run / runs.PREDICTIONS / f"{split}.parquet")
        single = panel.probabilities[panel.names.index(best)].argmax(axis=1)
        splits[split] = metrics.score(fused) | {
            "per_gender": metrics.per_gender(fused, gender),
            "baselines": {
                # The training labels of the branches are not known here; the labels of dev replace them.
                "majority": metrics.majority_baseline(panels["dev"].table["label"], fused),
                "simple": {
                    **metrics.plain_scores(panel.targets, single, len(labels)),
                    "description": f"{best} alone, the best single modality on dev",
                },
            },
        }
    scores: dict[str, Any] = {
        "name": settings.name,
        "modality": settings.modality,
        "model": " + ".join(panels["dev"].names),
        "labels": list(labels),
        **{key: fusion[key] for key in ("verdict", "declared") if key in fusion},
        "splits": splits,
    }
    resolved = settings.as_dict()
    facts = LATE_FUSION.card(resolved)
    card = model_card.model_card(scores, resolved, runs.read_environment(run), ledger, facts)
    write_text(run / runs.CARD, card)
    write_json(run / runs.METRICS, validated(Metrics, scores))


def _declared(branches: Sequence[Branch]) -> list[str]:
    """What the runs of the branches declare with their scores; the fused run declares it with its own."""
    declared = {branch.name: runs.read_metrics(branch.run).get("declared") for branch in branches if branch.run}
    return [f"of {name}, {sentence}" for name, sentence in declared.items() if sentence]


def _relative(path: Path, run: Path) -> str:
    """A path relative to the run folder, so that both can be moved together."""
    return Path(os.path.relpath(path.resolve(), run.resolve())).as_posix()
