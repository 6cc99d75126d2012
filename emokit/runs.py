"""The run folder: the files of one training, and whether they are complete.

settings.yaml  environment.json  log.jsonl  tensorboard/  checkpoints/last/  model/  predictions/{dev,test}.parquet
README.md  ledger.json  metrics.json (written last: its presence means that the run is complete)
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from emokit.epoch_log import LOG as LOG
from emokit.epoch_log import align_log as align_log
from emokit.epoch_log import append_log as append_log
from emokit.epoch_log import last_epoch as last_epoch
from emokit.epoch_log import read_log as read_log
from emokit.errors import DataError, EmokitError, UsageError
from emokit.files import (
    check_new_folder,
    check_readable,
    empty_folder,
    explained_disk_errors,
    give_usual_mode,
    new_folder,
    refuse_foreign,
    refuse_inputs,
    refuse_links,
    write_json,
    write_text,
)
from emokit.labels import LabelSet
from emokit.locks import hold, locked, released_on_error
from emokit.run_files import BEST as BEST
from emokit.run_files import CARD as CARD
from emokit.run_files import CHECKPOINT as CHECKPOINT
from emokit.run_files import ENVIRONMENT as ENVIRONMENT
from emokit.run_files import LABEL_ISSUES as LABEL_ISSUES
from emokit.run_files import LEDGER as LEDGER
from emokit.run_files import METRICS as METRICS
from emokit.run_files import MODEL as MODEL
from emokit.run_files import NAMES
from emokit.run_files import PREDICTIONS as PREDICTIONS
from emokit.run_files import SETTINGS as SETTINGS
from emokit.run_files import TENSORBOARD as TENSORBOARD
from emokit.schema.base import read_checked
from emokit.schema.environment import Environment
from emokit.schema.environment import environment as environment
from emokit.schema.metrics import Metrics
from emokit.settings import Settings, flat, inputs_of, read_yaml_mapping
from emokit.temporary import remove_leftovers, temporary_path

OLD_KINDS = ("audio", "text", "fusion")  # in `kind`, which settings had before `modality`
STORAGE = "storage.json"  # of a sweep


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

    With `resume` and no run in the folder, the run starts. This process holds the folder's lock until `locks.release`.

    Args:
        run: the run folder.
        settings: of the modality, resolved.
        seed, device, data, fingerprint: for `environment.json`.
        folds: the policy that divides the data of a cross-validation into folds; None for other runs.
        resume: accept an interrupted run with the same settings, folds and data.
        force: replace a run folder that exists.

    Raises:
        UsageError: the folder exists (without `resume` or `force`), the interrupted run had other settings or folds, or both
            `resume` and `force` were given.
        DataError: the interrupted run had other data, its files are damaged, or an older emokit made it.
        Held: another process works in the folder.
    """
    check_flags(resume=resume, force=force)
    # Before the lock, which writes into the folder.
    check_startable(run, resume=resume, force=force, inputs=inputs_of(settings, data))
    hold(run)
    with released_on_error(run):
        check_startable(run, resume=resume, force=force)
        if resume and os.path.lexists(run / SETTINGS):
            if [entry.name for entry in run.iterdir() if not entry.name.startswith(".")] != [SETTINGS]:
                check_same(run, settings, fingerprint, folds)
                return
            force = True  # the run was killed between its first two files, so nothing is lost
        with explained_disk_errors(run):
            (run / METRICS).unlink(missing_ok=True)  # first: a run that is killed while it is replaced is not complete
        new_folder(run, force=force, what=SETTINGS, names=NAMES)
        write_text(run / SETTINGS, settings.as_yaml())
        write_json(
            run / ENVIRONMENT, environment(seed=seed, device=device, data=data, fingerprint=fingerprint, folds=folds)
        )


def check_flags(*, resume: bool, force: bool) -> None:
    """Refuse `--resume` and `--force` together.

    Raises:
        UsageError: both were given.
    """
    if resume and force:
        raise UsageError("--resume and --force were given; add --resume to resume the run, or --force to replace it.")


def check_startable(run: Path, *, resume: bool, force: bool, inputs: Iterable[Path | None] = ()) -> None:
    """Refuse a folder that `start` refuses before it writes; `inputs` are what the command reads, and must not be deleted."""
    if not os.path.lexists(run / SETTINGS):
        check_new_folder(run, force=force, what=SETTINGS, names=NAMES)
    elif resume:
        check_folder(run)
    elif not force:
        state = "is complete" if is_complete(run) else "was started"
        raise UsageError(f"{run} {state}; add --resume to resume it, --force to replace it, or name another --run.")
    elif is_prepared(run):
        raise UsageError(f"{run} is a prepared folder, not a run; --force will not replace it, so name another --run.")
    else:
        refuse_inputs(run, inputs)
        refuse_foreign(run, NAMES)


def is_prepared(folder: Path) -> bool:
    """Whether it is a prepared folder, whose settings have the same name."""
    try:
        return {"labels", "corpora", "splits"} <= read_settings(folder).keys()
    except EmokitError:
        return False


def clear_unless_begun(run: Path) -> None:
    """Empty a run folder without settings: its worker was killed before it wrote them, so nothing can be resumed."""
    if run.is_dir() and not (run / SETTINGS).exists():
        with locked(run):
            if not (run / SETTINGS).exists():
                empty_folder(run)


def tidy(run: Path) -> None:
    """Remove what a killed process left in a complete run: a lock, temporary files.

    Raises:
        Held: another process works in it.
    """
    with locked(run):
        pass


def write_model(run: Path, save: Callable[[Path], None]) -> None:
    """Let `save` (a `save_pretrained`) write a model, and move its files to `model/` once all of them are complete."""
    temporary = temporary_path(run / MODEL)
    with explained_disk_errors(run / MODEL):
        try:
            temporary.mkdir()
            save(temporary)
            (run / MODEL).mkdir(exist_ok=True)
            for path in sorted(temporary.iterdir()):
                if path.is_file():
                    give_usual_mode(path)
                path.replace(run / MODEL / path.name)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def is_complete(run: Path) -> bool:
    """Whether the run has its last file."""
    return (run / METRICS).exists()


def check_folder(run: Path) -> None:
    """Refuse a folder that is not a run, has a link in it, or is the run of an emokit that used other names of settings.

    Raises:
        DataError: the sentence says which of these, and what to do.
    """
    if not run.is_dir():
        state = "is a file" if run.exists() else "does not exist"
        raise DataError(f"{run} {state}; name a run folder, as `emokit train` makes it with --run.")
    refuse_links(run)
    if not (run / SETTINGS).exists():
        raise DataError(f"{run} has no {SETTINGS}, so it is no run folder; name one that `emokit train` made.")
    check_readable(run, run / SETTINGS)
    settings = read_settings(run)
    if "modality" not in settings and settings.get("kind") in OLD_KINDS:
        raise DataError(f"{run} was made by an emokit before names changed; train it again.")
    if is_prepared(run):
        raise DataError(f"{run} is a prepared folder, not a run; name a run folder, as `emokit train` makes it.")


def check_complete(run: Path) -> None:
    """Refuse a folder that is not a run, an incomplete run, and one whose last file is damaged; remove killed writers' files.

    Raises:
        DataError: the sentence says which of the three, and what to do.
    """
    check_folder(run)
    if (run / STORAGE).exists():
        raise DataError(f"{run} is a sweep, not a run; name one of the runs in its folders trials and confirm.")
    if not is_complete(run):
        raise DataError(f"{run} has no {METRICS}, so its training did not end; resume it by adding --resume.")
    read_checked(Metrics, run / METRICS)
    remove_leftovers((run, run / "onnx"))  # of an export into the run too
    check_readable(run / MODEL, *sorted((run / MODEL).glob("*")))


def model_folder(run: Path) -> Path:
    """The folder of a complete run's model.

    Raises:
        DataError: it is missing or empty; a run with --folds has a model per fold, and points of a sweep may have none.
    """
    if any((run / MODEL).glob("*")):
        return run / MODEL
    if (run / "folds").is_dir():
        raise DataError(
            f"{run} has no model, as a run with --folds has one per fold; name one of the runs in its folder folds."
        )
    raise DataError(f"{run / MODEL} holds no model; train the run again with --force, or name another run.")


def read_settings(run: Path) -> dict[str, Any]:
    """The resolved settings of a run, as plain values."""
    return read_yaml_mapping(run / SETTINGS, DataError)


def key(run: Path) -> str:
    """SHA-256 over a run's settings, data and folds: equal for trainings that must give the same numbers."""
    started = read_environment(run)
    content = [read_settings(run), started.get("data_fingerprint"), started.get("folds")]
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def read_environment(run: Path) -> dict[str, Any]:
    """The content of `environment.json`."""
    return read_checked(Environment, run / ENVIRONMENT)


def read_metrics(run: Path) -> dict[str, Any]:
    """The content of `metrics.json` of a complete run.

    Raises:
        DataError: the run is not complete, or the file is damaged.
    """
    check_complete(run)
    return read_checked(Metrics, run / METRICS)


def read_labels(run: Path) -> LabelSet:
    """The label set of a complete run.

    Raises:
        DataError: the run is incomplete, or its `metrics.json` is damaged.
    """
    try:
        return LabelSet(read_metrics(run)["labels"])
    except UsageError as error:  # of a label that is no word
        raise DataError(f"{run / METRICS} has no label set in `labels`; make the run again.") from error


def check_same(run: Path, settings: Settings, fingerprint: str, folds: str | None = None) -> None:
    """Refuse to resume a run with other settings, data or folds than it was started with; arguments as those of `start`."""
    before, now = flat(read_settings(run)), flat(settings.as_dict())
    if before.keys() < now.keys():
        lost = next(key for key in now if key not in before)
        raise DataError(f"{run / SETTINGS} has no {lost}, so it was cut; start the run again with --force.")
    if changed := sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key)):
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
