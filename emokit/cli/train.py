"""`emokit train`: one experiment's settings and a prepared folder become a run folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emokit.cli import console

if TYPE_CHECKING:
    from emokit.data.prepared import Prepared
    from emokit.training.loop import Epoch

app = typer.Typer(no_args_is_help=True, help="Train a model: `emokit train audio …`.")


@app.callback()
def _group() -> None:
    """Keep `train audio` a command of two words, whatever else joins it."""


@app.command("audio")
def audio(
    experiment: Annotated[
        Path | None, typer.Argument(help="The experiment's YAML file; the defaults where none is named.")
    ] = None,
    data: Annotated[Path, typer.Option("--data", "-d", help="The folder that `emokit prepare` made.")] = Path(
        "prepared"
    ),
    run: Annotated[
        Path | None, typer.Option("--run", help="The run folder to make; runs/<experiment's name> by default.")
    ] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="A setting, such as training.mixup_alpha=0.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Short for --set training.max_epochs=…")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Short for --set training.batch_size=…")] = None,
    lr: Annotated[float | None, typer.Option(help="Short for --set training.lr=…")] = None,
    seed: Annotated[int | None, typer.Option(help="Short for --set training.seed=…")] = None,
    folds: Annotated[
        str | None,
        typer.Option(
            help="Cross-validate instead of one split: leave-one-speaker-out, leave-one-corpus-out, emobox, emo-superb, "
            "or prepared for the folds that `emokit prepare` was given."
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, float32, bf16 or fp16.")] = "auto",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on after the last whole epoch of a run that was stopped.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a run folder that exists.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the settings and the data's sizes; train nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="metrics.json on stdout.")] = False,
) -> None:
    """Train an ACRNN on the prepared corpora, choose the best epoch on dev, score test once.

    Example: emokit train audio experiments/audio/emodb_quick.yaml --data prepared --run runs/emodb
    """
    from emokit.audio.settings import AudioSettings

    flags = {
        "training.max_epochs": epochs,
        "training.batch_size": batch_size,
        "training.lr": lr,
        "training.seed": seed,
    }
    settings = AudioSettings.read(find_experiment(experiment, "audio"), set_ or [], flags)
    where = run or Path("runs") / settings.name

    from emokit.audio import train as work
    from emokit.cli import tables
    from emokit.cross_validation import cross_validate
    from emokit.data.prepared import open_prepared
    from emokit.runtime import quiet_libraries

    quiet_libraries()
    prepared = open_prepared(data)
    if dry_run:
        parts = work.read_parts(settings, prepared)
        sizes = {split: len(part.table) for split, part in parts.items()}
        steps = sizes["train"] // settings.training.batch_size
        plan = {"run": str(where), "utterances": sizes, "steps_per_epoch": steps, "settings": settings.as_dict()}
        console.show_json(plan) if as_json else console.show(
            f"{settings.as_yaml()}# {where}: train {sizes['train']}, dev {sizes['dev']}, test {sizes['test']} utterances, "
            f"{steps} steps an epoch, at most {settings.training.max_epochs} epochs"
        )
        return
    with console.progress("epochs") as progress:

        def on_epoch(epoch: "Epoch") -> None:
            progress(epoch.number, settings.training.max_epochs)
            best = "  best so far" if epoch.is_best else ""
            console.say(
                f"epoch {epoch.number:3d}  train loss {epoch.train_loss:.3f}  dev loss {epoch.dev.loss:.3f}  "
                f"dev UAR {epoch.dev.uar:.3f}  {epoch.seconds:.1f} s{best}"
            )

        def train_into(data: "Prepared", folder: Path, resume: bool, force: bool) -> dict[str, Any]:
            computing = {"device": device, "precision": precision}
            return work.train(settings, data, folder, **computing, resume=resume, force=force, on_epoch=on_epoch)

        if folds is None:
            result = train_into(prepared, where, resume, force)
        else:
            result = cross_validate(
                where,
                settings,
                prepared,
                settings.data.corpora,
                folds,
                # A fold that was begun is gone on with: that its settings are the same was seen in the folder above it.
                lambda data, folder: train_into(data, folder, resume=True, force=False),
                seed=settings.training.seed,
                device=device,
                resume=resume,
                force=force,
                on_fold=lambda name, found: console.say(tables.fold_line(name, found)),
            )
    if as_json:
        console.show_json(result)
        return
    console.show(tables.scores(result))
    console.done(where, f"emokit report {where} --out report")


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
    known = ", ".join(sorted(path.stem for path in folder.glob("*.yaml")))
    raise UsageError(f"{named} is not there; name a YAML file of settings, or one that comes with emokit: {known}.")
