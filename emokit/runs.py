"""The run folder: the files of one training, and whether they are complete.

settings.yaml  environment.json  log.jsonl  tensorboard/  checkpoints/last/  model/  predictions/{dev,test}.parquet
README.md  ledger.json  metrics.json (written last: its presence means that the run is complete)
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emokit.errors import DataError, UsageError
from emokit.files import check_readable, explained_disk_errors, give_usual_mode, new_folder, write_json, write_text
from emokit.labels import LabelSet
from emokit.runtime import VERSION, installed, num_processors
from emokit.schema.base import check, read_checked
from emokit.schema.environment import Environment
from emokit.schema.log import LogLine
from emokit.schema.metrics import AnyMetrics
from emokit.settings import Settings, flat, read_yaml_mapping

SETTINGS = "settings.yaml"
ENVIRONMENT = "environment.json"
LOG = "log.jsonl"
TENSORBOARD = "tensorboard"
CHECKPOINT = "checkpoints/last"
BEST = "checkpoints/best"
MODEL = "model"
METRICS = "metrics.json"
CARD = "README.md"
LEDGER = "ledger.json"
PREDICTIONS = "predictions"

OLD_KINDS = ("audio", "text", "fusion")  # in `kind`, which settings had before `modality`
PACKAGES = ("torch", "torchaudio", "transformers", "accelerate", "numpy", "scipy", "scikit-learn", "librosa", "soxr")


def start(
    run: Path,
    settings: Settings,
    *,
    seed: int,
    device: str,
    data: Path | None = None,
    fingerprint: str,
    folds: str | None = None,
    resume: bool = False,
    force: bool = False,
) -> None:
    """Make the run folder with its settings and environment, or check that an interrupted run can be resumed.

    With `resume` and no run in the folder, the run starts.

    Args:
        run: the run folder.
        settings: of the modality, resolved.
        seed, device, data, fingerprint: for `environment.json`.
        folds: the policy that divides the data of a cross-validation into folds; None for other runs.
        resume: accept an interrupted run with the same settings, folds and data.
        force: replace a run folder that exists.

    Raises:
        UsageError: the folder exists (without `resume` or `force`), or the interrupted run had other settings or folds.
        DataError: the interrupted run had other data, its files are damaged, or an older emokit made it.
    """
    if resume and (run / SETTINGS).exists():
        check_folder(run)
        if [entry.name for entry in run.iterdir() if not entry.name.startswith(".")] != [SETTINGS]:
            _check_same(run, settings, fingerprint, folds)
            return
        force = True  # the run was killed between its first two files, so nothing is lost
    if (run / SETTINGS).exists() and not force:
        state = "is complete" if is_complete(run) else "was started"
        raise UsageError(f"{run} {state}; add --resume to resume it, --force to replace it, or name another --run.")
    new_folder(run, force=force, what=SETTINGS)
    write_text(run / SETTINGS, settings.as_yaml())
    write_json(
        run / ENVIRONMENT, environment(seed=seed, device=device, data=data, fingerprint=fingerprint, folds=folds)
    )


def clear_unless_begun(run: Path) -> None:
    """Remove a run folder without settings: its worker was killed before it wrote them, so nothing can be resumed."""
    if run.is_dir() and not (run / SETTINGS).exists():
        with explained_disk_errors(run):
            shutil.rmtree(run)


def environment(
    *, seed: int, device: str, data: Path | None = None, fingerprint: str, folds: str | None = None
) -> dict[str, Any]:
    """The content of `environment.json`: what is needed, besides the settings, to make a run again."""
    return {
        "command": [without_password(argument) for argument in sys.argv],
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "device": device,
        "data": str(data) if data else None,
        "data_fingerprint": fingerprint,
        "folds": folds,
        "emokit": VERSION,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "threads": os.environ.get("OMP_NUM_THREADS") or str(num_processors()),
        "packages": {name: installed(name) for name in PACKAGES},
        "git_revision": _git_revision(),
    }


def without_password(text: str) -> str:
    """Replace the passwords in URLs by ***, after the user name and among the parameters of the query."""
    text = re.sub(r"(:/+[^:/@\s]*:)\S*@", r"\1***@", text)
    return re.sub(r"(?i)([?&](?:\w*password|passwd|passphrase)=)[^&\s]*", r"\1***", text)


def append_log(run: Path, line: dict[str, Any]) -> None:
    """Add an epoch's line to `log.jsonl`; an incomplete line left by a kill is ended first."""
    before = (run / LOG).read_bytes() if (run / LOG).exists() else b""
    start = "\n" if before and not before.endswith(b"\n") else ""
    with explained_disk_errors(run / LOG), (run / LOG).open("a", encoding="utf-8") as log:
        log.write(start + json.dumps(line) + "\n")


def read_log(run: Path) -> list[dict[str, Any]]:
    """The epochs of a run, in order; incomplete lines are skipped, and of a repeated epoch the last line counts.

    Raises:
        DataError: the file is no text, or an epoch's line has another shape.
    """
    if not (run / LOG).exists():
        return []
    epochs: dict[int, dict[str, Any]] = {}
    try:
        lines = (run / LOG).read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{run / LOG} cannot be read ({error}); make the run again, or leave it out.") from error
    for line in lines:
        try:
            epoch = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(epoch, dict) and "epoch" in epoch:
            epochs[check(LogLine, epoch, run / LOG).epoch] = epoch
    return [epochs[number] for number in sorted(epochs)]


def last_epoch(run: Path) -> int:
    """The number of the last epoch in a run's log; 0 before the first."""
    return max((int(epoch["epoch"]) for epoch in read_log(run)), default=0)


def write_model(run: Path, save: Callable[[Path], None]) -> None:
    """Let `save` (a `save_pretrained`) write a model, and move its files to `model/` once all of them are complete."""
    with tempfile.TemporaryDirectory(prefix=".model-", dir=run) as temporary, explained_disk_errors(run / MODEL):
        save(Path(temporary))
        (run / MODEL).mkdir(exist_ok=True)
        for path in sorted(Path(temporary).iterdir()):
            if path.is_file():
                give_usual_mode(path)
            path.replace(run / MODEL / path.name)


def is_complete(run: Path) -> bool:
    """Whether the run has its last file."""
    return (run / METRICS).exists()


def check_folder(run: Path) -> None:
    """Refuse a folder that is not a run, or is the run of an emokit that used other names of settings.

    Raises:
        DataError: the sentence says which of the two, and what to do.
    """
    if not run.is_dir():
        state = "is a file" if run.exists() else "does not exist"
        raise DataError(f"{run} {state}; name a run folder, as `emokit train` makes it with --run.")
    if not (run / SETTINGS).exists():
        raise DataError(f"{run} has no {SETTINGS}, so it is no run folder; name one that `emokit train` made.")
    check_readable(run, run / SETTINGS)
    settings = read_settings(run)
    if "modality" not in settings and settings.get("kind") in OLD_KINDS:
        raise DataError(f"{run} was made by an emokit before names changed; train it again.")


def check_complete(run: Path) -> None:
    """Refuse a folder that is not a run, and an incomplete run.

    Raises:
        DataError: the sentence says which of the two, and what to do.
    """
    check_folder(run)
    if not is_complete(run):
        raise DataError(f"{run} has no {METRICS}, so its training did not end; resume it by adding --resume.")
    check_readable(run / METRICS, run / MODEL)
    if (run / MODEL).is_dir():
        check_readable(*sorted((run / MODEL).iterdir()))


def read_settings(run: Path) -> dict[str, Any]:
    """The resolved settings of a run, as plain values."""
    return read_yaml_mapping(run / SETTINGS)


def read_environment(run: Path) -> dict[str, Any]:
    """The content of `environment.json`."""
    return read_checked(Environment, run / ENVIRONMENT)


def read_metrics(run: Path) -> dict[str, Any]:
    """The content of `metrics.json` of a complete run.

    Raises:
        DataError: the run is not complete.
    """
    check_complete(run)
    return read_checked(AnyMetrics, run / METRICS)


def read_labels(run: Path) -> LabelSet:
    """The label set of a complete run.

    Raises:
        DataError: the run is incomplete, or its `metrics.json` has no label set.
    """
    labels = read_metrics(run).get("labels")
    try:
        return LabelSet(labels or ())
    except (TypeError, UsageError) as error:
        raise DataError(f"{run / METRICS} has no label set in `labels`; make the run again.") from error


def _check_same(run: Path, settings: Settings, fingerprint: str, folds: str | None) -> None:
    before, now = flat(read_settings(run)), flat(settings.as_dict())
    changed = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
    if changed:
        key = changed[0]
        raise UsageError(
            f"{run} was started with {key} = {before.get(key)!r} and would be resumed with {now.get(key)!r}; "
            "resume it with the settings it was started with, or name another --run."
        )
    started = read_environment(run)
    started_folds = started.get("folds", folds)
    if started_folds != folds:
        first, second = (f"with --folds {policy}" if policy else "without --folds" for policy in (started_folds, folds))
        raise UsageError(
            f"{run} was started {first} and would be resumed {second}; "
            "resume it as it was started, or name another --run."
        )
    if started["data_fingerprint"] != fingerprint:
        raise DataError(f"{run} was started on other data; resume it with the --data it was started with.")


def _git_revision() -> str | None:
    """The revision of emokit's checkout, with a plus where files were changed; None for an installed emokit."""
    checkout = Path(__file__).resolve().parent.parent
    if not (checkout / ".git").exists():
        return None
    try:
        result = subprocess.run(
            ["git", "-C", str(checkout), "describe", "--always", "--dirty=+", "--abbrev=12"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip() or None
