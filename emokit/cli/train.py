"""`emokit train`: one experiment's settings and a prepared folder become a run folder."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emokit.cli import console

if TYPE_CHECKING:
    from collections.abc import Callable

    from emokit.data.prepared import Prepared
    from emokit.training.loop import Epoch

app = typer.Typer(no_args_is_help=True, help="Train a model: `emokit train audio …`, `emokit train text …`.")


@app.callback()
def _group() -> None:
    """Keep `train audio` a command of two words, whatever else joins it."""


Experiment = Annotated[
    Path | None, typer.Argument(help="The experiment's YAML file; the defaults where none is named.")
]
Data = Annotated[Path, typer.Option("--data", "-d", help="The folder that `emokit prepare` made.")]
Run = Annotated[Path | None, typer.Option("--run", help="The run folder to make; runs/<experiment's name> by default.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="A setting, such as training.weight_decay=0.")]
Epochs = Annotated[int | None, typer.Option(help="Short for --set training.max_epochs=…")]
BatchSize = Annotated[int | None, typer.Option(help="Short for --set training.batch_size=…")]
Rate = Annotated[float | None, typer.Option(help="Short for --set training.lr=…")]
Seed = Annotated[int | None, typer.Option(help="Short for --set training.seed=…")]
Folds = Annotated[
    str | None,
    typer.Option(
        help="Cross-validate instead of one split: leave-one-speaker-out, leave-one-corpus-out, emobox, emo-superb, or "
        "prepared for the folds that `emokit prepare` was given."
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(help="Folds that are trained at once, each in a process of its own; one per GPU, or one, by default."),
]
Device = Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")]
Precision = Annotated[str, typer.Option(help="auto, float32, bf16 or fp16.")]
Compile = Annotated[bool, typer.Option("--compile", help="Have torch compile the model first; pays in long trainings.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on after the last whole epoch of a run that was stopped.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a run folder that exists.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the settings and the data's sizes; train nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="metrics.json on stdout.")]


@app.command("audio")
def audio(
    experiment: Experiment = None,
    data: Data = Path("prepared"),
    run: Run = None,
    set_: Set = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    lr: Rate = None,
    seed: Seed = None,
    folds: Folds = None,
    workers: Workers = None,
    device: Device = "auto",
    precision: Precision = "auto",
    compile_: Compile = False,
    resume: Resume = False,
    force: Force = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Train an ACRNN, a regression on functionals, or a pretrained speech encoder; choose on dev, score test once.

    Examples: emokit train audio experiments/audio/emodb_quick.yaml --data prepared --run runs/emodb,
    emokit train audio wavlm --data prepared --set model.name=DIR --run runs/wavlm
    """
    from emokit.audio.settings import AudioSettings

    _check_workers(workers, folds)
    settings = AudioSettings.read(
        find_experiment(experiment, "audio"), set_ or [], _flags(epochs, batch_size, lr, seed)
    )

    from emokit.audio import train as work
    from emokit.audio.learner import read_ahead, survey
    from emokit.data.prepared import open_prepared

    prepared = open_prepared(data)
    where = run or Path("runs") / settings.name
    if dry_run:
        parts = work.read_splits(settings, prepared)
        _show_plan(settings, where, parts, survey(settings, parts["train"].table), as_json)
        return
    computing: dict[str, Any] = {
        "device": device,
        "precision": precision,
        "compile": compile_,
        "progress": _say_how_much_is_read,
    }
    train = partial(work.train, settings, **computing)
    ahead = partial(read_ahead, settings, prepared, progress=_say_how_much_is_read)
    _train(train, ahead, settings, prepared, where, folds, workers, device, resume, force, as_json)


@app.command("text")
def text(
    experiment: Experiment = None,
    data: Data = Path("prepared"),
    run: Run = None,
    set_: Set = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    lr: Rate = None,
    seed: Seed = None,
    folds: Folds = None,
    workers: Workers = None,
    device: Device = "auto",
    precision: Precision = "auto",
    compile_: Compile = False,
    resume: Resume = False,
    force: Force = False,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run the code that comes with a pretrained model.")
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Fine-tune a text encoder on the prepared comments and dialogues, choose the best epoch on dev, score test once.

    Example: emokit train text default --data prepared --set model.name=DIR --run runs/text
    """
    from emokit.text.settings import TextSettings

    _check_workers(workers, folds)
    settings = TextSettings.read(find_experiment(experiment, "text"), set_ or [], _flags(epochs, batch_size, lr, seed))

    from emokit.data.prepared import open_prepared
    from emokit.runtime import quiet_libraries
    from emokit.text import train as work

    quiet_libraries()
    prepared = open_prepared(data)
    where = run or Path("runs") / settings.name
    if dry_run:
        parts = work.read_splits(settings, prepared)
        _show_plan(settings, where, parts, work.survey(settings, parts, trust_remote_code), as_json)
        return
    computing: dict[str, Any] = {
        "device": device,
        "precision": precision,
        "compile": compile_,
        "trust_remote_code": trust_remote_code,
    }
    train = partial(work.train, settings, **computing)
    _train(train, None, settings, prepared, where, folds, workers, device, resume, force, as_json)


def _say_how_much_is_read(done: int, total: int) -> None:
    """A line at each tenth of the sound that is read before training begins; the bar is the epochs'."""
    if done == total or done % max(1, total // 10) == 0:
        console.say(f"sound read: {done} of {total} files")


def _flags(epochs: int | None, batch_size: int | None, lr: float | None, seed: int | None) -> dict[str, Any]:
    return {
        "training.max_epochs": epochs,
        "training.batch_size": batch_size,
        "training.lr": lr,
        "training.seed": seed,
    }


def _show_plan(settings: Any, where: Path, parts: dict[str, Any], plan: dict[str, Any], as_json: bool) -> None:
    """What a dry run shows."""
    sizes = {split: len(part.table) for split, part in parts.items()}
    if as_json:
        console.show_json({"run": str(where), "utterances": sizes, **plan, "settings": settings.as_dict()})
        return
    more = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in plan.items())
    console.show(
        f"{settings.as_yaml()}# {where}: train {sizes['train']}, dev {sizes['dev']}, test {sizes['test']} utterances; "
        f"{more}; at most {settings.training.max_epochs} epochs"
    )


def _train(
    train: "Callable[..., dict[str, Any]]",
    read_ahead: "Callable[..., None] | None",
    settings: Any,
    prepared: "Prepared",
    where: Path,
    folds: str | None,
    workers: int | None,
    device: str,
    resume: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Train once or fold by fold, and show each epoch and what it came to."""
    from emokit.cli import tables
    from emokit.runtime import quiet_libraries

    quiet_libraries()
    with console.progress("epochs") as progress:
        if folds is None:

            def on_epoch(epoch: "Epoch") -> None:
                progress(epoch.number, settings.training.max_epochs)
                console.say(tables.epoch_line(epoch.as_log(), settings.training.checkpoint))

            result = train(prepared, where, resume=resume, force=force, on_epoch=on_epoch)
        else:
            from emokit.cli.train_folds import train_folds

            result = train_folds(
                train,
                settings,
                prepared,
                where,
                folds,
                workers=workers,
                device=device,
                resume=resume,
                force=force,
                read_ahead=read_ahead,
                progress=progress,
            )
    if not result:
        return  # of several processes only the first has something to show
    if as_json:
        console.show_json(result)
        return
    console.show(tables.scores(result))
    if result.get("missing_labels"):
        console.say(f"never said by this classifier: {', '.join(result['missing_labels'])}")
    console.done(where, f"emokit report {where} --out report")


def _check_workers(workers: int | None, folds: str | None) -> None:
    """Refuse a number of workers that is none, or that nothing is there for."""
    from emokit.errors import UsageError
    from emokit.runtime import check_workers

    if workers is not None and folds is None:
        raise UsageError(
            f"--workers {workers} was given without --folds, which are what is trained at once; name both."
        )
    check_workers(workers)


def find_experiment(named: Path | None, wing: str) -> Path | None:
    """The experiment's file: the one named, or the one of that name among those that come with emokit.

    Raises:
        UsageError: there is no such file and no such name; the names that there are stand in the sentence.
    """
    from emokit.errors import UsageError
    from emokit.files import resource

    if named is None or named.is_file():
        return named
    folder = resource("experiments") / wing
    if (folder / f"{named.stem}.yaml").is_file() and named.parent == Path():
        return folder / f"{named.stem}.yaml"
    known = ", ".join(sorted(path.stem for path in folder.glob("*.yaml") if not path.stem.endswith("sweep")))
    raise UsageError(f"{named} is not there; name a YAML file of settings, or one that comes with emokit: {known}.")
