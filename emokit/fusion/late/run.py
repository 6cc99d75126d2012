"""From predictions of several modalities to a fused run folder; test is scored once, at the end.

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
from emokit.errors import DataError, UsageError
from emokit.files import read_json, write_json, write_text
from emokit.fusion.late import bootstrap, fusion_methods
from emokit.fusion.late.calibrate import quality
from emokit.fusion.late.combine import Weighted, tempered
from emokit.fusion.late.inputs import FUSED, HELD_OUT, Modality, Panel, join, read
from emokit.fusion.late.settings import FusionSettings, SearchSettings
from emokit.fusion.late.simplex import num_points
from emokit.fusion.late.wording import verdict
from emokit.labels import LABELS
from emokit.schema.base import validated
from emokit.schema.fusion import FUSION, Fusion
from emokit.schema.metrics import Metrics


def fuse(
    settings: FusionSettings, paths: Mapping[str, Sequence[Path]], run: Path, *, force: bool = False
) -> dict[str, Any]:
    """Read, join, search, judge, and complete the run folder.

    Args:
        settings: the fusion; `branches` and `result` are filled in here.
        paths: per modality its run folder or tables.
        run: the run folder to make.
        force: replace a run folder that exists.

    Returns:
        what `fusion.json` holds; `metrics.json` is read with `runs.read_metrics`.

    Raises:
        UsageError: the run folder exists.
        DataError: the predictions break the contract or contradict each other.
        WorkError: the disk is full.
    """
    if (run / runs.SETTINGS).exists() and not force:
        raise UsageError(f"{run} exists; add --force to replace it, or name another --run.")
    modalities, panels, counts = inputs(settings, paths)
    branches = {one.name: tuple(_relative(source, run) for source in one.sources) for one in modalities}
    settings = settings.model_copy(update={"branches": branches, "result": None})
    fingerprint = next((one.found.fingerprint for one in modalities if one.found.fingerprint), "")
    runs.start(run, settings, seed=settings.fusion.seed, device="cpu", fingerprint=fingerprint, force=force)
    ledgers = [one.run / runs.LEDGER for one in modalities if one.run]
    ledger: dict[str, Any] = next((read_json(path) for path in ledgers if path.exists()), {})
    if ledger:
        write_json(run / runs.LEDGER, ledger)

    found, chosen = judge(panels, settings.fusion)
    found["joined"] = counts
    if declared := _declared(modalities):
        found["declared"] = declared
    found["sources"] = {
        one.name: {"model": one.found.model, "fingerprint": one.found.fingerprint, "paths": list(branches[one.name])}
        for one in modalities
    }
    settings = settings.model_copy(update={"result": chosen.as_settings(panels["dev"].names)})
    write_text(run / runs.SETTINGS, settings.as_yaml())
    write_json(run / FUSION, validated(Fusion, found))
    prepared = (runs.read_environment(one.run).get("data") for one in modalities if one.run)
    sexes = next((known for folder in prepared if not (known := genders(folder)).empty), genders(None))
    _complete(run, settings, panels, chosen, found, fingerprint, ledger, sexes)
    return found


def inputs(
    settings: FusionSettings, paths: Mapping[str, Sequence[Path]]
) -> tuple[list[Modality], dict[str, Panel], dict[str, dict[str, int]]]:
    """The modalities, joined per split, and how many utterances each lacks.

    Raises:
        DataError: they cannot be joined, or dev has a single cluster, which can be neither folded nor resampled.
    """
    modalities = read(paths)
    panels, counts = join(modalities, settings.fusion.missing)
    for split, panel in panels.items():
        if len(numpy.unique(panel.clusters)) < 2:
            raise DataError(
                f"All {len(panel.table)} {split} utterances are of one speaker or dialogue, so nothing can be said of how "
                "sure the weights are; predict a split with two or more."
            )
    return modalities, panels, counts


def judge(panels: Mapping[str, Panel], settings: SearchSettings) -> tuple[dict[str, Any], Weighted]:
    """Everything that is found out, as `fusion.json` holds it, and the weights that were chosen."""
    dev = panels["dev"]
    warm, own = fusion_methods.calibrated(dev, settings)
    found = fusion_methods.search(warm, settings)
    rungs = fusion_methods.fit(dev, settings)
    held_out = fusion_methods.out_of_fold(dev, settings.folds, lambda rest: fusion_methods.fit(rest, settings))
    judged = {
        "dev": fusion_methods.compare(dev, held_out, settings.seed),
        "test": fusion_methods.compare(
            panels["test"], {name: rung.pooled(panels["test"]) for name, rung in rungs.items()}, settings.seed
        ),
    }
    chosen = rungs[settings.choice]
    if not isinstance(chosen, Weighted):
        raise TypeError(f"{settings.choice} has no weights")
    steps = []
    for name, rung in rungs.items():
        step: dict[str, Any] = dict(
            zip(("name", "title", "about"), (name, *fusion_methods.FUSION_METHODS[name]), strict=True)
        )
        if isinstance(rung, Weighted):
            step |= {"weights": rung.shares, "pooling": rung.pooling}
        steps.append(step | {split: judged[split][name] for split in HELD_OUT})
    single = rungs["single"]
    best_single = dev.names[int(numpy.argmax(single.weights))] if isinstance(single, Weighted) else ""
    result = {
        "modalities": list(dev.names),
        "labels": list(LABELS),
        "settings": settings.as_dict(),
        "clusters": {split: len(numpy.unique(panel.clusters)) for split, panel in panels.items()},
        "cluster": "dialogue" if dev.table["dialogue"].notna().any() else "speaker",
        "choice": settings.choice,
        "best_single": best_single,
        "search": _search(found, settings),
        "grid": _grid(found, settings),
        "bootstrap": bootstrap.bootstrap(found, settings.resamples, settings.seed),
        "ladder": steps,
        "calibration": _calibration(panels, own, chosen),
        "confusion": {
            name: {
                split: metrics.confusion_matrix(panel.targets, panel.probabilities[position].argmax(axis=1)).tolist()
                for split, panel in panels.items()
            }
            for position, name in enumerate(dev.names)
        },
    }
    result["verdict"] = verdict(result)
    return result, chosen


def _search(found: fusion_methods.Searched, settings: SearchSettings) -> dict[str, Any]:
    weights, pooling = found.points.at(found.best)
    everything = num_points(len(weights), settings.steps) * len(found.points.weights)
    return {
        "evaluated": len(found.points),
        "points": everything,
        "exact": len(found.points) == everything,
        "best": list(weights),
        "pooling": pooling,
        "score": float(found.scores[found.best]),
        "ties": int((found.scores >= found.scores[found.best] - 1e-12).sum()),
    }


def _grid(found: fusion_methods.Searched, settings: SearchSettings) -> dict[str, Any]:
    """The points of the best pooling, for the map: weights in whole steps, scores, their bounds, the plateau."""
    reaches, bounds = bootstrap.plateau(found, settings.resamples, settings.seed)
    _, pooling = found.points.at(found.best)
    first = 0
    for name, weights in found.points.weights.items():
        rows = slice(first, first + len(weights))
        first += len(weights)
        if name == pooling:
            flat = weights[reaches[rows]] / settings.steps
            return {
                "weights": weights.tolist(),
                "score": found.scores[rows].tolist(),
                "low": bounds[rows, 0].tolist(),
                "high": bounds[rows, 1].tolist(),
                "plateau": reaches[rows].astype(int).tolist(),
                "plateau_weights": numpy.stack([flat.min(axis=0), flat.max(axis=0)], axis=1).tolist(),
            }
    raise ValueError(f"no points of {pooling} pooling")


def _calibration(panels: Mapping[str, Panel], own: Sequence[float], chosen: Weighted) -> dict[str, Any]:
    """Before and after: of each modality on the utterances that it has, and of the fusion."""
    before = Weighted(chosen.weights, chosen.pooling, chosen.temperatures)
    result: dict[str, Any] = {}
    for position, name in enumerate(panels["dev"].names):
        result[name] = {"temperature": own[position]}
        for split, panel in panels.items():
            there = panel.present[position]
            given, targets = panel.probabilities[position][there], panel.targets[there]
            result[name][split] = {
                "before": quality(given, targets),
                "after": quality(tempered(given, own[position]), targets),
            }
    result[FUSED] = {"temperature": chosen.temperature} | {
        split: {
            "before": quality(before.pooled(panel), panel.targets),
            "after": quality(chosen.pooled(panel), panel.targets),
        }
        for split, panel in panels.items()
    }
    return result


def _complete(
    run: Path,
    settings: FusionSettings,
    panels: Mapping[str, Panel],
    chosen: Weighted,
    found: Mapping[str, Any],
    fingerprint: str,
    ledger: Mapping[str, Any],
    sexes: pandas.Series,
) -> None:
    best = found["best_single"]
    scored = {}
    for split, panel in panels.items():
        said = predictions.make(panel.table, chosen.pooled(panel), model=settings.name, fingerprint=fingerprint)
        predictions.write(said, run / "predictions" / f"{split}.parquet")
        alone = panel.probabilities[panel.names.index(best)].argmax(axis=1)
        scored[split] = metrics.score(said) | {
            "per_gender": metrics.per_gender(said, sexes),
            "baselines": {
                # What was trained on is not known here; dev stands in for it.
                "majority": metrics.majority_baseline(panels["dev"].table["label"], said),
                "simple": {
                    **metrics.plain_scores(panel.targets, alone),
                    "description": f"{best} alone, the best single modality on dev",
                },
            },
        }
    about = {"name": settings.name, "modality": settings.modality, "model": " + ".join(panels["dev"].names)}
    also = {key: found[key] for key in ("verdict", "declared") if key in found}
    result = {**about, "labels": list(LABELS), **also, "splits": scored}
    text = model_card.model_card(result, settings.as_dict(), runs.read_environment(run), ledger)
    write_text(run / runs.CARD, text)
    write_json(run / runs.METRICS, validated(Metrics, result))


def _declared(modalities: Sequence[Modality]) -> str:
    """What its parts have to declare with their scores, the fusion has to declare with its own."""
    said = {one.name: runs.read_metrics(one.run).get("declared") for one in modalities if one.run}
    return "; ".join(f"of {name}, {sentence}" for name, sentence in said.items() if sentence)


def _relative(path: Path, run: Path) -> str:
    """A path as seen from the run folder, so that both can be moved together."""
    return Path(os.path.relpath(path.resolve(), run.resolve())).as_posix()
