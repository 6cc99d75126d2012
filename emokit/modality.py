"""Modalities: the protocol that a kind of model implements, and the registry.

A modality is one folder and one line in `MODALITIES`. Training, sweeps, prediction, late fusion, export, the model card and the
report ask it through `Modality` and its `Predictor`; no file outside its folder tests which modality a run has. Importing this
module, or a modality's own `modality.py`, imports no torch.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from emokit.errors import DataError, UsageError
from emokit.predictor import Predictor

if TYPE_CHECKING:
    import pandas

    from emokit.data.prepared import Prepared
    from emokit.model_card import CardFacts
    from emokit.settings import Settings
    from emokit.training.loop import Epoch

# name -> "module:attribute" of its Modality; imported when it is asked for.
MODALITIES: dict[str, str] = {
    "audio": "emokit.audio.modality:AUDIO",
    "text": "emokit.text.modality:TEXT",
    "vision": "emokit.vision.modality:VISION",
    "late-fusion": "emokit.fusion.late.modality:LATE_FUSION",
}

Progress = Callable[[int, int], None]
"""(done, total): reports how far a piece of work is."""


@dataclass(frozen=True)
class Option:
    """A command-line option that only some modalities have; other modalities refuse it.

    Attributes:
        name: the keyword argument that it becomes, such as `trust_remote_code`.
        help: its sentence in `--help`.
        commands: the commands that have it: `train`, `predict` or `export`.
        type: bool for a flag, Path or str for a value, list for a str that can be repeated.
        role: whether it goes to `train`, `load` and `export`, names inputs to predict, or changes the table that is printed.
    """

    name: str
    help: str
    commands: tuple[str, ...]
    type: type = bool
    role: Literal["model", "inputs", "table"] = "model"

    @property
    def flag(self) -> str:
        """`--trust-remote-code`."""
        return f"--{self.name.replace('_', '-')}"


@dataclass(frozen=True)
class Plan:
    """What a training would do, for `--dry-run`.

    Attributes:
        utterances: split -> number of utterances.
        facts: name -> value, such as `steps_per_epoch`.
    """

    utterances: dict[str, int]
    facts: dict[str, Any] = field(default_factory=dict)


class Modality(Protocol):
    """A kind of model, with everything that other parts of emokit use of it.

    Attributes:
        name: in commands, settings and run folders.
        summary: one sentence, the help of `emokit train NAME`.
        examples: command lines for the help of `emokit train NAME`.
        medium: how a sentence names what it reads, such as "in speech".
        simple_baseline: one line about the simple model that every run is compared with; empty where it depends on the run.
        options: command-line options that only this modality has.
        is_trainable: whether `emokit train`, `emokit sweep` and `--folds` apply.
        pretrained: the model that can be loaded by the modality's name in place of a run folder; None for none.
        auto_models: (module, config class, model class) of each `transformers` model, for `import emokit.hf`.
    """

    name: str
    summary: str
    examples: tuple[str, ...] = ()
    medium: str = ""
    simple_baseline: str = ""
    options: tuple[Option, ...] = ()
    is_trainable: bool = True
    pretrained: str | None = None
    auto_models: tuple[tuple[str, str, str], ...] = ()

    def settings(self) -> "type[Settings]":
        """The class of its settings; it has `name` and `modality`, and `training` where it is trainable.

        Raises:
            UsageError: the modality has no settings.
        """
        raise UsageError(f"There are no settings of {self.name}; it is used as it is.")

    def train(
        self,
        settings: Any,
        prepared: "Prepared",
        run: Path,
        *,
        device: str = "auto",
        precision: str = "auto",
        compile: bool = False,
        resume: bool = False,
        force: bool = False,
        held_out: tuple[str, ...] = ("dev", "test"),
        on_epoch: "Callable[[Epoch], None] | None" = None,
        progress: Progress | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Train, predict and score the held-out splits, and complete the run folder.

        Args:
            settings: an instance of `settings()`.
            prepared: the data.
            run: the run folder to make, or to resume.
            device, precision, compile: how to compute.
            resume: continue after the last completed epoch.
            force: replace a run folder that exists.
            held_out: the splits to predict and score; a sweep leaves test out.
            on_epoch: called after each epoch.
            progress: called with (files read, files to read) while features are computed.
            options: its own options.

        Returns:
            the content of `metrics.json`; {} in all but the main process.
        """
        raise UsageError(f"{self.name} cannot be trained; the modalities that can: {', '.join(trainable())}.")

    def plan(self, settings: Any, prepared: "Prepared", **options: Any) -> Plan:
        """What `train` would do."""
        raise UsageError(f"{self.name} cannot be trained; the modalities that can: {', '.join(trainable())}.")

    def compute_features(
        self, settings: Any, prepared: "Prepared", rows: "pandas.DataFrame", progress: Progress | None = None
    ) -> None:
        """Compute the cached features that trainings on these rows share, before several of them start at once."""
        return

    def load(self, run: Path | None, device: str = "auto", **options: Any) -> Predictor:
        """Load the model of a complete run; with None, the `pretrained` model.

        Raises:
            UsageError: a package is missing, or None was given and there is no such model.
            DataError: the run is incomplete or its model is damaged.
        """
        ...

    def export(self, run: Path, out: Path, *, force: bool = False, **options: Any) -> float:
        """Write the model of a complete run as ONNX into a new folder.

        Returns:
            the largest difference of a logit between the two.

        Raises:
            UsageError: the folder exists, or the model cannot be exported.
        """
        raise UsageError(
            f"{run} is a run of {self.name}, which is not exported; name a run of {_listed(exportable())}."
        )

    def card(self, settings: Mapping[str, Any]) -> "CardFacts":
        """The modality's facts for the model card of a run with these resolved settings."""
        ...

    def rerun(self, run: Path, settings: Mapping[str, Any], environment: Mapping[str, Any]) -> list[str]:
        """The words of a command that makes the run again from its resolved settings."""
        from emokit.runs import SETTINGS

        words = ["emokit", "train", self.name, str(run / SETTINGS)]
        words += ["--data", str(environment.get("data") or "PREPARED"), "--run", f"{run}-again"]
        return words + (["--folds", str(environment["folds"])] if environment.get("folds") else [])


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
    name = str(runs.read_settings(run).get("modality"))
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
        UsageError: a package is missing, or the device is not on this machine.
        DataError: the run is missing, incomplete or damaged.
    """
    chosen, run = find(source)
    return chosen.load(run, device, **options)


def _listed(names: Sequence[str]) -> str:
    return " or ".join(names)
