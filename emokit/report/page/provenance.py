"""How a run was made: its settings, duration and machine, and the commands that reproduce it."""

import json
import math
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from emokit.modality.registry import MODALITIES, modality
from emokit.report.comparison.ranking import NO_SETTINGS
from emokit.report.read_runs import Run
from emokit.report.wording import NO_VALUE, counted, duration
from emokit.safe_text import mask_secrets
from emokit.settings import flat as dotted


def plain(value: Any) -> str:
    """A setting's value on one line, as in YAML and JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def flat(values: Mapping[str, Any]) -> dict[str, str]:
    """Nested settings as dotted keys and one-line values."""
    return {key: plain(value) for key, value in dotted(dict(values)).items()}


def differing_settings(runs: Sequence[Run]) -> dict[str, list[tuple[str, str, str]]]:
    """Slug -> the settings that differ from another run of the same modality: key, value of this run, values of the others."""
    differing: dict[str, list[tuple[str, str, str]]] = {}
    for name in {run.metrics.modality for run in runs}:
        settings = {run.slug: flat(run.settings) for run in runs if run.metrics.modality == name}
        keys = sorted({key for values in settings.values() for key in values if key.split(".")[0] not in NO_SETTINGS})
        values_of = {key: {values.get(key, NO_VALUE) for values in settings.values()} for key in keys}
        varying = {key: sorted(values) for key, values in values_of.items() if len(values) > 1}
        for slug, values_here in settings.items():
            rows = differing[slug] = []
            for key, values in varying.items():
                value = values_here.get(key, NO_VALUE)
                others = [other for other in values if other != value]
                rows.append((key, value, ", ".join(others[:4]) + (", …" if len(others) > 4 else "")))
    return differing


def published(run: Run) -> dict[str, Any]:
    """Results that others published for the experiment: `accuracy`, `weighted_f1` and a `note`; empty for none."""
    given = run.settings.get("published")
    given = given if isinstance(given, dict) else {}
    scores = {key: given[key] for key in ("accuracy", "weighted_f1") if isinstance(given.get(key), int | float)}
    return scores | {"note": str(given.get("note") or "")} if scores else {}


def commands(run: Run) -> list[str]:
    """Shell lines that reproduce the run: the original command, then one that uses its resolved settings."""
    given = run.environment.get("command")
    words = [mask_secrets(str(word)) for word in given[1:]] if isinstance(given, list) else []
    lines = [shlex.join(["emokit", *words])] if words else []
    if run.metrics.modality in MODALITIES:
        again = modality(run.metrics.modality).rerun(run.folder, run.settings, run.environment)
        lines += ["# or from its resolved settings:", shlex.join(again)]
    return lines


def outline(run: Run) -> str:
    """One line on the model and its training."""
    metrics = run.metrics
    facts = [metrics.model, metrics.modality]
    if metrics.parameters is not None:
        facts.append(counted(metrics.parameters, "parameter"))
    if metrics.best_epoch is not None and metrics.epochs:
        facts.append(f"best epoch {metrics.best_epoch} of {metrics.epochs}")
    if metrics.folds:
        facts.append(f"{counted(len(metrics.folds), 'fold')} ({metrics.policy}), pooled")
    facts += [training_time(run), str(run.folder)]
    return " · ".join(fact for fact in facts if fact)


def training_time(run: Run) -> str:
    """The duration of its epochs by its log, and the device: `18 epochs in 52 s (2.9 s each) on cpu`; empty if unknown."""
    seconds = [epoch["seconds"] for epoch in run.epochs if isinstance(epoch.get("seconds"), int | float)]
    total = math.fsum(value for value in seconds if math.isfinite(value))
    if not total:
        return ""
    device = run.environment.get("device")
    each = f" ({duration(total / len(seconds))} each)" if len(seconds) > 1 else ""
    return f"{counted(len(seconds), 'epoch')} in {duration(total)}{each}" + (f" on {device}" if device else "")


def circumstances(run: Run) -> list[str]:
    """Seed, hardware and versions, in at most two lines."""
    titles = {
        "seed": "seed",
        "device": "device",
        "platform": "",
        "started": "started",
        "emokit": "emokit",
        "git_revision": "revision",
        "python": "Python",
    }
    values = run.environment
    facts = [f"{title} {values[key]}".strip() for key, title in titles.items() if values.get(key) is not None]
    packages = values.get("packages")
    versions = (
        [f"{name} {version or 'not installed'}" for name, version in packages.items()]
        if isinstance(packages, dict)
        else []
    )
    return [" · ".join(line) for line in (facts, versions) if line]
