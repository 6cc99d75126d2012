"""How a run was made, in words: its settings, what it took, on which machine, and the commands that make it again."""

import json
import math
import os
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from emokit.report.comparison.ranking import NO_SETTINGS
from emokit.report.read_runs import Run
from emokit.report.wording import NO_VALUE, counted, duration
from emokit.settings import flat as dotted


def plain(value: Any) -> str:
    """A setting's value on one line, as YAML and JSON write it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def flat(values: Mapping[str, Any]) -> dict[str, str]:
    """Nested settings as dotted keys and values on one line."""
    return {key: plain(value) for key, value in dotted(dict(values)).items()}


def differing_settings(runs: Sequence[Run]) -> dict[str, list[tuple[str, str, str]]]:
    """Per slug of a run the settings that another run of its kind has otherwise: key, value here, values there."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for kind in {run.metrics.modality for run in runs}:
        settings = {run.slug: flat(run.settings) for run in runs if run.metrics.modality == kind}
        keys = sorted({key for values in settings.values() for key in values if key.split(".")[0] not in NO_SETTINGS})
        values_of = {key: {values.get(key, NO_VALUE) for values in settings.values()} for key in keys}
        varying = {key: sorted(values) for key, values in values_of.items() if len(values) > 1}
        for slug, own in settings.items():
            rows = found[slug] = []
            for key, values in varying.items():
                here = own.get(key, NO_VALUE)
                elsewhere = [value for value in values if value != here]
                rows.append((key, here, ", ".join(elsewhere[:4]) + (", …" if len(elsewhere) > 4 else "")))
    return found


def published(run: Run) -> dict[str, Any]:
    """What somebody else reported for its experiment: `accuracy`, `weighted_f1` and a `note`; empty where nobody did."""
    given = run.settings.get("published")
    given = given if isinstance(given, dict) else {}
    scores = {key: given[key] for key in ("accuracy", "weighted_f1") if isinstance(given.get(key), int | float)}
    return scores | {"note": str(given.get("note") or "")} if scores else {}


def commands(run: Run) -> list[str]:
    """Lines of a shell that make the run again: the very command that did, then one from its resolved settings."""
    given = run.environment.get("command")
    words = [str(word) for word in given[1:]] if isinstance(given, list) else []
    found = [shlex.join(["emokit", *words])] if words else []
    settings, again = str(run.folder / "settings.yaml"), f"{run.folder}-again"
    lines: list[str] = []
    if run.metrics.modality in ("audio", "text"):
        data = str(run.environment.get("data") or "PREPARED")
        lines = ["emokit", "train", run.metrics.modality, settings, "--data", data, "--run", again]
        lines += ["--folds", run.metrics.policy] if run.metrics.policy else []
    elif isinstance(branches := run.settings.get("branches"), dict):
        tables = [
            f"{name}={os.path.normpath(run.folder / str(path))}"
            for name, paths in branches.items()
            for path in (paths if isinstance(paths, list) else [paths])
        ]
        lines = ["emokit", "fuse-search", *tables, "--settings", settings, "--run", again]
    if lines:
        found += ["# or from its resolved settings:", shlex.join(lines)]
    return found


def outline(run: Run) -> str:
    """One line on what the run is and what it took."""
    metrics = run.metrics
    facts = [metrics.model, metrics.modality]
    if metrics.parameters is not None:
        facts.append(counted(metrics.parameters, "parameter"))
    if metrics.best_epoch is not None and metrics.epochs:
        facts.append(f"best epoch {metrics.best_epoch} of {metrics.epochs}")
    if metrics.folds:
        facts.append(f"{counted(len(metrics.folds), 'fold')} ({metrics.policy}), pooled")
    if time := took(run):
        facts.append(time)
    return " · ".join(fact for fact in [*facts, str(run.folder)] if fact)


def took(run: Run) -> str:
    """How long its epochs took by its log, and where: `18 epochs in 52 s (2.9 s each) on cpu`; empty where nothing is known."""
    seconds = [epoch["seconds"] for epoch in run.epochs if isinstance(epoch.get("seconds"), int | float)]
    total = math.fsum(value for value in seconds if math.isfinite(value))
    if not total:
        return ""
    device = run.environment.get("device")
    each = f" ({duration(total / len(seconds))} each)" if len(seconds) > 1 else ""
    return f"{counted(len(seconds), 'epoch')} in {duration(total)}{each}" + (f" on {device}" if device else "")


def circumstances(run: Run) -> list[str]:
    """Seed, hardware and versions, in at most two lines."""
    named = {
        "seed": "seed",
        "device": "device",
        "platform": "",
        "started": "started",
        "emokit": "emokit",
        "git_revision": "revision",
        "python": "Python",
    }
    values = run.environment
    facts = [f"{word} {values[key]}".strip() for key, word in named.items() if values.get(key) is not None]
    packages = values.get("packages")
    versions = (
        [f"{name} {version or 'not installed'}" for name, version in packages.items()]
        if isinstance(packages, dict)
        else []
    )
    return [" · ".join(line) for line in (facts, versions) if line]
