"""The protocol that a modality implements: everything that other parts of emokit need to know of a kind of model.

Training, sweeps, prediction, late fusion, export, the model card and the report ask a modality through it; no file outside the
modality's folder tests which modality a run has. Importing a modality's `modality.py` imports no torch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from emokit.errors import UsageError
from emokit.modality.predictor import Predictor

if TYPE_CHECKING:
    import pandas

    from emokit.data.prepared import Prepared
    from emokit.model_card import CardFacts
    from emokit.settings import Settings
    from emokit.training.loop import Epoch
    from emokit.training.run import OnBatch

Progress = Callable[[int, int], None]
"""(done, total): reports how far a piece of work is."""


NOT_TRAINED = "{} is used as it is; `emokit train --help` lists the modalities that are trained."


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


ENGINE = Option(
    "engine",
    "auto, torch or onnx (ONNX Runtime on the CPU, with an export of the run that is made the first time and stored in the cache "
    "folder).",
    ("predict",),
    str,
)


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
        auto_models: (Auto class of `transformers`, module, config class, class) of each model and feature extractor, for
            `import emokit.hf`.
    """

    name: str
    summary: str
    examples: tuple[str, ...] = ()
    medium: str = ""
    simple_baseline: str = ""
    options: tuple[Option, ...] = ()
    is_trainable: bool = True
    pretrained: str | None = None
    auto_models: tuple[tuple[str, str, str, str], ...] = ()

    def settings(self) -> "type[Settings]":
        """The class of its settings; it has `name` and `modality`, and `training` where it is trainable.

        Raises:
            UsageError: the modality has no settings.
        """
        raise UsageError(f"There are no settings of {self.name}; it is used as it is.")

    def unused(self, settings: Any) -> tuple[str, ...]:
        """What the kind of model that the settings choose does not use.

        Returns:
            fields, groups of them, and arguments of `train` such as `precision`; `model.kind` and `training.seed` never count.
        """
        return ()

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
        on_batch: "OnBatch | None" = None,
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
            on_batch: called at the start of each epoch and after each of its batches.
            progress: called with (files read, files to read) while features are computed.
            options: its own options.

        Returns:
            the content of `metrics.json`; {} in all but the main process.
        """
        raise UsageError(NOT_TRAINED.format(self.name))

    def plan(self, settings: Any, prepared: "Prepared", **options: Any) -> Plan:
        """What `train` would do."""
        raise UsageError(NOT_TRAINED.format(self.name))

    def check_data(self, settings: Any, prepared: "Prepared", held_out: tuple[str, ...] = ("dev", "test")) -> None:
        """Refuse data that `train` refuses before it makes a folder; a sweep asks before its first point."""
        return

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
        raise UsageError(f"{run} is a run of {self.name}, which cannot be exported; name another run.")

    def card(self, settings: Mapping[str, Any]) -> "CardFacts":
        """The modality's facts for the model card of a run with these resolved settings."""
        ...

    def rerun(self, run: Path, settings: Mapping[str, Any], environment: Mapping[str, Any]) -> list[str]:
        """The words of a command that makes the run again from its resolved settings."""
        from emokit.runs import SETTINGS

        words = ["emokit", "train", self.name, str(run / SETTINGS)]
        words += ["--data", str(environment.get("data") or "PREPARED"), "--run", f"{run}-again"]
        return words + (["--folds", str(environment["folds"])] if environment.get("folds") else [])
