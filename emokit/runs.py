"""The run folder: what one training leaves behind, and how to tell a complete one.

settings.yaml  environment.json  log.jsonl  tensorboard/  checkpoints/last/  model/  predictions/{dev,test}.parquet
README.md  metrics.json (written last: its presence means that the run is complete)
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
from emokit.files import explained_disk_errors, new_folder, read_json, write_json, write_text
from emokit.labels import LabelSet
from emokit.runtime import installed, num_processors
from emokit.settings import Settings, flat, read_yaml_mapping
from emokit.version import __version__

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
    """Make the run folder and write what is known before the work starts; or check that a resumed one fits.

    There may be nothing yet to resume: then the run starts. `folds` is what a cross-validation divides the data by.

    Raises:
        UsageError: the folder exists (neither `resume` nor `force` was asked for), or a resumed run had other settings or folds.
        DataError: a resumed run was trained on other data, or its files are damaged.
    """
    if resume and (run / SETTINGS).exists():
        check_folder(run)
        if [entry.name for entry in run.iterdir() if not entry.name.startswith(".")] != [SETTINGS]:
            _check_same(run, settings, fingerprint, folds)
            return
        force = True  # It was killed between its first two files: there is nothing to lose.
    if (run / SETTINGS).exists() and not force:
        state = "is complete" if is_complete(run) else "was begun"
        raise UsageError(f"{run} {state}; add --resume to go on with it, --force to replace it, or name another --run.")
    new_folder(run, force=force, what=SETTINGS)
    write_text(run / SETTINGS, settings.as_yaml())
    write_json(
        run / ENVIRONMENT, environment(seed=seed, device=device, data=data, fingerprint=fingerprint, folds=folds)
    )


def clear_unless_begun(run: Path) -> None:
    """Remove the run folder of a worker that was killed before it wrote the settings: there is nothing to go on with."""
    if run.is_dir() and not (run / SETTINGS).exists():
        with explained_disk_errors(run):
            shutil.rmtree(run)


def environment(
    *, seed: int, device: str, data: Path | None = None, fingerprint: str, folds: str | None = None
) -> dict[str, Any]:
    """What must be known to make a run again."""
    return {
        "command": [without_password(argument) for argument in sys.argv],
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "device": device,
        "data": str(data) if data else None,
        "data_fingerprint": fingerprint,
        "folds": folds,
        "emokit": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "threads": os.environ.get("OMP_NUM_THREADS") or str(num_processors()),
        "packages": {name: installed(name) for name in PACKAGES},
        "git_revision": _git_revision(),
    }


def without_password(text: str) -> str:
    """A text in which the passwords of URLs are ***: one after a user's name, and one among a query's parameters."""
    text = re.sub(r"(:/+[^:/@\s]*:)\S*@", r"\1***@", text)
    return re.sub(r"(?i)([?&](?:\w*password|passwd|passphrase)=)[^&\s]*", r"\1***", text)


def append_log(run: Path, line: dict[str, Any]) -> None:
    """Add one line, an epoch's, to `log.jsonl`; after a line that a kill cut short it begins on a new one."""
    before = (run / LOG).read_bytes() if (run / LOG).exists() else b""
    start = "\n" if before and not before.endswith(b"\n") else ""
    with explained_disk_errors(run / LOG), (run / LOG).open("a", encoding="utf-8") as log:
        log.write(start + json.dumps(line) + "\n")


def read_log(run: Path) -> list[dict[str, Any]]:
    """The epochs of a run, in order; a line that a kill cut short is left out, a repeated epoch counts once."""
    if not (run / LOG).exists():
        return []
    epochs: dict[int, dict[str, Any]] = {}
    for line in (run / LOG).read_text(encoding="utf-8").splitlines():
        try:
            epoch = json.loads(line)
            epochs[int(epoch["epoch"])] = epoch
        except (ValueError, KeyError, TypeError):
            continue
    return [epochs[number] for number in sorted(epochs)]


def last_epoch(run: Path) -> int:
    """The number of the last epoch in a run's log; 0 before the first."""
    return max((int(epoch["epoch"]) for epoch in read_log(run)), default=0)


def write_model(run: Path, save: Callable[[Path], None]) -> None:
    """Let `save` (a `save_pretrained`) write a model, and move its files to `model/` only when all of them are whole."""
    with tempfile.TemporaryDirectory(prefix=".model-", dir=run) as temporary, explained_disk_errors(run / MODEL):
        save(Path(temporary))
        (run / MODEL).mkdir(exist_ok=True)
        for path in sorted(Path(temporary).iterdir()):
            path.replace(run / MODEL / path.name)


def is_complete(run: Path) -> bool:
    """Whether the run reached its last file."""
    return (run / METRICS).exists()


def check_folder(run: Path) -> None:
    """Refuse a folder that is no run, or that an emokit with other names of settings made.

    Raises:
        DataError: says which, and what to do.
    """
    if not run.is_dir():
        state = "is a file" if run.exists() else "is not there"
        raise DataError(f"{run} {state}; name a run folder, as `emokit train` makes it with --run.")
    if not (run / SETTINGS).exists():
        raise DataError(f"{run} has no {SETTINGS}, so it is no run folder; name one that `emokit train` made.")
    if read_settings(run).get("kind") in OLD_KINDS:
        raise DataError(f"{run} was made by an emokit before names changed; train it again.")


def check_complete(run: Path) -> None:
    """Refuse a folder that is no run, or a run that did not end.

    Raises:
        DataError: says which, and what to do.
    """
    check_folder(run)
    if not is_complete(run):
        raise DataError(f"{run} has no {METRICS}, so its training did not end; resume it by adding --resume.")


def read_settings(run: Path) -> dict[str, Any]:
    """The resolved settings of a run, as plain values."""
    return read_yaml_mapping(run / SETTINGS)


def read_environment(run: Path) -> dict[str, Any]:
    """What `environment` wrote when the run started."""
    value: dict[str, Any] = read_json(run / ENVIRONMENT)
    return value


def read_metrics(run: Path) -> dict[str, Any]:
    """The scores of a complete run.

    Raises:
        DataError: the run is not complete.
    """
    check_complete(run)
    value: dict[str, Any] = read_json(run / METRICS)
    return value


def read_labels(run: Path) -> LabelSet:
    """The label set of a complete run.

    Raises:
        DataError: the run is incomplete, or its file of scores names no label set.
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
            f"{run} was begun with {key} = {before.get(key)!r} and is to go on with {now.get(key)!r}; "
            "resume with the settings it was begun with, or name another --run."
        )
    environment_then = read_environment(run)
    folds_then = environment_then.get("folds", folds)
    if folds_then != folds:
        then, here = (f"with --folds {policy}" if policy else "without --folds" for policy in (folds_then, folds))
        raise UsageError(
            f"{run} was begun {then} and is to go on {here}; resume as it was begun, or name another --run."
        )
    if environment_then["data_fingerprint"] != fingerprint:
        raise DataError(f"{run} was begun on other data than these; resume with the --data it was begun with.")


def _git_revision() -> str | None:
    """The revision of the checkout that emokit runs from, with a plus where files were changed; None when installed."""
    here = Path(__file__).resolve().parent.parent
    if not (here / ".git").exists():
        return None
    try:
        described = subprocess.run(
            ["git", "-C", str(here), "describe", "--always", "--dirty=+", "--abbrev=12"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return described.stdout.strip() or None
