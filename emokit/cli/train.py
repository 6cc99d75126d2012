"""`emokit train`: the settings of an experiment and a prepared folder become a run folder."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from emokit.api.experiments import complete_experiment, find_experiment
from emokit.cli import console

if TYPE_CHECKING:
    from emokit.data.prepared import Prepared
    from emokit.modality.protocol import Modality
    from emokit.training.loop import Epoch


# Field -> the flag that is short for it.
SHORT = {
    "training.max_epochs": "--epochs",
    "training.batch_size": "--batch-size",
    "training.lr": "--lr",
    "training.seed": "--seed",
}


class TrainGroup(typer.core.TyperGroup):
    """One command per trainable modality, made on first use."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of the trainable modalities."""
        from emokit.modality.registry import trainable

        return trainable()

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a modality; None for an unknown one."""
        from emokit.cli.options import command_of, help_text
        from emokit.modality.registry import modality

        if cmd_name not in self.list_commands(ctx):
            return None
        chosen = modality(cmd_name)
        options = [option for option in chosen.options if "train" in option.commands]
        summary = f"{chosen.summary} The checkpoint is chosen on dev; test is scored once."
        return command_of(cmd_name, partial_train(chosen), options, help_text(summary, chosen.examples))


app = typer.Typer(
    cls=TrainGroup, no_args_is_help=True, help="Train a model: `emokit train audio …`, `emokit train text …`."
)


@app.callback()
def _group() -> None:
    """Make `train` a group; its commands come from the registry of modalities."""


def train(
    chosen: "Modality",
    experiment: Annotated[
        Path | None,
        typer.Argument(
            help="YAML file of an experiment, or the name of one that comes with emokit.",
            autocompletion=complete_experiment,
        ),
    ] = None,
    data: Annotated[Path, typer.Option("--data", "-d", help="Folder that `emokit prepare` made.")] = Path("prepared"),
    run: Annotated[
        Path | None, typer.Option("--run", help="Run folder to make; runs/<experiment's name> by default.")
    ] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="A setting, such as training.weight_decay=0.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Short for --set training.max_epochs=…")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Short for --set training.batch_size=…")] = None,
    lr: Annotated[float | None, typer.Option(help="Short for --set training.lr=…")] = None,
    seed: Annotated[int | None, typer.Option(help="Short for --set training.seed=…")] = None,
    folds: Annotated[
        str | None,
        typer.Option(
            help="Cross-validate instead of one split: leave-one-speaker-out, leave-one-session-out, "
            "leave-one-corpus-out, emobox, emo-superb, or prepared for the folds of the prepared folder."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Folds to train at once, each in a process; one per GPU, or one, by default.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, float32, bf16 or fp16.")] = "auto",
    compile_: Annotated[
        bool, typer.Option("--compile", help="Compile the model with torch first; worthwhile for long trainings.")
    ] = False,
    track: Annotated[
        str | None,
        typer.Option(help="Trackers: tensorboard (default), wandb, mlflow, joined by commas.", metavar="NAME,…"),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume an interrupted run from its last completed epoch.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing run folder.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the settings and the sizes of the data; train nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print metrics.json.")] = False,
    **options: Any,
) -> None:
    """Train one modality; the options above are those of every modality."""
    from emokit.files import refuse_inputs
    from emokit.runs import check_flags
    from emokit.runtime import check_workers
    from emokit.settings import inputs_of
    from emokit.training.trackers import read_names

    check_workers(workers)
    check_flags(resume=resume, force=force)
    flags = {
        "training.max_epochs": epochs,
        "training.batch_size": batch_size,
        "training.lr": lr,
        "training.seed": seed,
        "training.report_to": None if track is None else read_names(track),
    }
    file = find_experiment(experiment, chosen.name)
    settings: Any = chosen.settings().read(file, set_ or [], flags)

    from emokit.data.prepared import open_prepared

    prepared = open_prepared(data)
    folder = run or Path("runs") / settings.name
    if force:
        refuse_inputs(folder, [file, *inputs_of(settings, data)])  # before the models that they name are looked for
    _check_used(chosen, settings, set_ or [], flags, options | {"compile": compile_, "precision": precision})
    given = {name: value for name, value in options.items() if value}
    if resume and not folder.exists():
        console.say(f"{folder} does not exist, so nothing is resumed and the run starts")
    if dry_run:
        _check_plan(settings, folder, prepared, folds, device, precision, resume=resume, force=force)
        _show_plan(chosen, settings, folder, prepared, given, as_json)
        return
    say_files_read = partial(_say_files_read, data)
    given |= {"device": device, "precision": precision, "compile": compile_, "progress": say_files_read}
    fit = partial(fit_modality, chosen.name, settings, given)
    has_epochs = "training" not in chosen.unused(settings)
    with console.progress("epochs" if has_epochs else "folds") as progress:
        if folds is None:

            def on_batch(epoch: int, done: int, size: int) -> None:
                progress(epoch - 1 + done / size, settings.training.max_epochs, f"batch {done} of {size}")

            def on_epoch(epoch: "Epoch") -> None:
                from emokit.cli import tables

                progress(epoch.number, settings.training.max_epochs)
                console.say(tables.epoch_line(epoch.as_log(), settings.training.checkpoint))

            result = fit(prepared, folder, resume=resume, force=force, on_epoch=on_epoch, on_batch=on_batch)
        else:
            from emokit.cli.train_folds import train_folds

            result = train_folds(
                fit,
                settings,
                prepared,
                folder,
                folds,
                workers=workers,
                device=device,
                resume=resume,
                force=force,
                card=chosen.card(settings.as_dict()),
                compute_features=partial(chosen.compute_features, settings, prepared, progress=say_files_read),
                has_epochs=has_epochs,
                progress=progress,
            )
    if result:  # of several processes only the main one has a result
        _show_result(result, folder, as_json)


def _check_used(
    chosen: "Modality", settings: Any, overrides: list[str], flags: dict[str, Any], options: dict[str, Any]
) -> None:
    """Refuse flags that the kind of model does not use, and say which settings of --set it does not use."""
    from emokit.modality.arguments import check_used

    if not (unused := chosen.unused(settings)):
        return
    given = {SHORT[key]: key for key, value in flags.items() if value is not None and key in SHORT}
    given |= {f"--{name.replace('_', '-')}": name for name, value in options.items() if value and value != "auto"}
    for note in check_used(unused, settings.model.kind, given, overrides):
        console.say(note)


def partial_train(chosen: "Modality") -> Any:
    """`train` of one modality."""
    return partial(train, chosen)


def fit_modality(name: str, settings: Any, given: dict[str, Any], prepared: "Prepared", run: Path, **how: Any) -> Any:
    """Train a modality, in this process or in a worker's: everything but its name can be pickled."""
    from emokit.modality.registry import modality
    from emokit.training.memory import ANYWHERE, explained

    with explained(lambda: ANYWHERE):
        return modality(name).train(settings, prepared, run, **given, **how)


def _say_files_read(data: Path, done: int, total: int) -> None:
    """Why audio is read before a training, and a line for each tenth of the files."""
    if done == 1:
        console.say(f"{data} lacks features that these settings need; they are computed once, and kept in it")
    if done == total or done % max(1, total // 10) == 0:
        console.say(f"files read: {done} of {total} files")


def _check_plan(
    settings: Any,
    folder: Path,
    prepared: "Prepared",
    folds: str | None,
    device: str,
    precision: str,
    *,
    resume: bool,
    force: bool,
) -> None:
    """Refuse what the training would refuse before its first epoch."""
    from emokit.runs import check_startable
    from emokit.runtime import choose_device
    from emokit.settings import inputs_of
    from emokit.training.cross_validation.run import names_of_folds
    from emokit.training.hardware import choose_precision, num_processes

    choose_precision(precision, choose_device(device))
    num_processes()
    if folds is not None:
        names_of_folds(settings, prepared, folds)
    check_startable(folder, resume=resume, force=force, inputs=inputs_of(settings, prepared.folder))


def _show_plan(
    chosen: "Modality", settings: Any, folder: Path, prepared: "Prepared", given: dict[str, Any], as_json: bool
) -> None:
    """What a dry run prints."""
    plan = chosen.plan(settings, prepared, **given)
    if as_json:
        shown = {"run": str(folder), "utterances": plan.utterances, **plan.facts}
        console.show_json({**shown, "settings": settings.as_dict()})
        return
    sizes = ", ".join(f"{split} {size}" for split, size in plan.utterances.items())
    facts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in plan.facts.items())
    console.show(
        f"{settings.as_yaml()}# {folder}: {sizes} utterances; {facts}; at most {settings.training.max_epochs} epochs"
    )


def _show_result(result: dict[str, Any], folder: Path, as_json: bool) -> None:
    """The scores of a completed run, and the next command."""
    from emokit.cli import tables

    if as_json:
        console.show_json(result)
        return
    console.show(tables.scores(result))
    if result.get("missing_labels"):
        console.say(f"labels this classifier never predicts: {', '.join(result['missing_labels'])}")
    console.done(folder, f"emokit report {folder} --out report")
