"""The registry of modalities: one line each, imported on first use."""

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from emokit.errors import DataError, UsageError
from emokit.modality.predictor import Predictor
from emokit.modality.protocol import Modality, Option

# name -> "module:attribute" of its Modality; imported on first use.
MODALITIES: dict[str, str] = {
    "audio": "emokit.audio.modality:AUDIO",
    "text": "emokit.text.modality:TEXT",
    "vision": "emokit.vision.modality:VISION",
    "late-fusion": "emokit.fusion.late.modality:LATE_FUSION",
}


def modality(name: str) -> Modality:
    """A modality by its name.

    Raises:
        UsageError: the name is unknown.
    """
    if name not in MODALITIES:
        raise UsageError(f"The modality {name} is unknown; expected one of {', '.join(MODALITIES)}.")
    module, _, attribute = MODALITIES[name].partition(":")
    return cast(Modality, getattr(importlib.import_module(module), attribute))


def trainable() -> list[str]:
    """The names of the modalities that `emokit train` takes."""
    return [name for name in MODALITIES if modality(name).is_trainable]


def exportable() -> list[str]:
    """The names of the modalities that `emokit export` takes."""
    return [name for name in MODALITIES if type(modality(name)).export is not Modality.export]


def modality_of(run: Path) -> Modality:
    """The modality of a run folder.

    Raises:
        DataError: it is no run folder, it is older than its settings' present names, or its modality is unknown.
    """
    from emokit import runs

    runs.check_folder(run)
    settings = runs.read_settings(run)
    if "modality" not in settings:
        raise DataError(
            f"{run / runs.SETTINGS} states no modality, so it was changed; train the run again with --force."
        )
    name = str(settings["modality"])
    if name not in MODALITIES:
        raise DataError(f"{run} has the modality {name}, and this emokit knows {', '.join(MODALITIES)}; update emokit.")
    return modality(name)


def command_options(command: str) -> list[Option]:
    """The options that modalities add to a command, each once."""
    options = [option for name in MODALITIES for option in modality(name).options if command in option.commands]
    return list({option.name: option for option in options}.values())


def check_options(chosen: Modality, command: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given on a command line, if this modality has them.

    Args:
        chosen: the modality of the command or run.
        command: `train`, `predict` or `export`.
        given: option name -> value; a false or empty value was not given.

    Raises:
        UsageError: an option of another modality was given.
    """
    options = {name: value for name, value in given.items() if value}
    allowed = {option.name for option in chosen.options if command in option.commands}
    for name in options:
        if name not in allowed:
            flag = f"--{name.replace('_', '-')}"
            having = [other for other in MODALITIES if any(option.name == name for option in modality(other).options)]
            raise UsageError(
                f"{flag} was given for {chosen.name}, and it is an option of {_listed(having)}; leave it out."
            )
    return options


def with_role(chosen: Modality, options: Mapping[str, Any], role: str) -> dict[str, Any]:
    """Those of the options given that have a role."""
    names = {option.name for option in chosen.options if option.role == role}
    return {name: value for name, value in options.items() if name in names}


def find(source: Path | str) -> tuple[Modality, Path | None]:
    """The modality of a complete run folder, or of the pretrained model with a name such as `vision`.

    Returns:
        the modality, and the run folder; None for a pretrained model.

    Raises:
        DataError: the run is missing or incomplete.
    """
    from emokit import runs

    run = Path(source)
    if not run.is_dir() and str(source) in MODALITIES and modality(str(source)).pretrained:
        return modality(str(source)), None
    runs.check_complete(run)
    return modality_of(run), run


def load(source: Path | str, device: str = "auto", **options: Any) -> Predictor:
    """Load the model of a run folder, or a pretrained model by the name of its modality, such as `vision`.

    Args:
        source: a complete run folder, or the name.
        device: auto, cuda, mps or cpu.
        options: the modality's own, such as `trust_remote_code`.

    Raises:
        UsageError: a package is missing, the device is not on this machine, or the modality has no such option.
        DataError: the run is missing, incomplete or damaged.
    """
    chosen, run = find(source)
    known = [option.name for option in chosen.options if "predict" in option.commands and option.role == "model"]
    if unknown := sorted({*options}.difference(known)):
        raise UsageError(
            f"The option {unknown[0]} was given and {chosen.name} has {', '.join(known) or 'none'}; leave it out."
        )
    return chosen.load(run, device, **options)


def _listed(names: Sequence[str]) -> str:
    return " or ".join(names)
