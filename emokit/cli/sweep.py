"""`emokit sweep`: a space of settings is searched, by as many workers on as many machines as there are."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emokit.cli import console

if TYPE_CHECKING:
    from emokit.sweep.plan import Plan
    from emokit.sweep.worker import Order


def sweep(
    space: Annotated[Path | None, typer.Argument(help="The space's YAML file.")] = None,
    data: Annotated[Path | None, typer.Option("--data", "-d", help="The folder that `emokit prepare` made.")] = None,
    run: Annotated[
        Path | None, typer.Option("--run", help="The folder to make; runs/<sweep's name> by default.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes at work; one per GPU, or one, by default.")] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            help="postgresql://USER:PASSWORD@HOST/DATABASE or mysql://…, which several machines can share; "
            "a journal file in the run folder by default."
        ),
    ] = None,
    hours: Annotated[float | None, typer.Option(help="Stop after so long; --resume goes on.", min=0)] = None,
    resume: Annotated[Path | None, typer.Option("--resume", help="Go on with the sweep in this folder.")] = None,
    status: Annotated[Path | None, typer.Option("--status", help="Show how the sweep in this folder stands.")] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, float32, bf16 or fp16.")] = "auto",
    force: Annotated[bool, typer.Option("--force", help="Replace a run folder that exists.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the space and show its size; train nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="sweep.json on stdout.")] = False,
) -> None:
    """Search a space of settings on dev, train the best points again with fresh seeds, and never touch test.

    Example: emokit sweep experiments/audio/v3_sweep.yaml --data prepared --run runs/sweep --workers 2
    """
    from emokit.errors import UsageError
    from emokit.runtime import check_workers

    check_workers(workers)
    if sum(given is not None for given in (space, resume, status)) != 1:
        raise UsageError("Name one thing: a space's YAML file, or --resume RUN, or --status RUN.")
    if dry_run and space is None:
        raise UsageError("--dry-run was given without a space; name a space's YAML file.")
    if status is not None:
        _show_status(status, storage, as_json)
        return

    from emokit.sweep import run as work
    from emokit.sweep.space import read_space
    from emokit.workers import size

    if dry_run:
        settings = read_space(Path(str(space)))
        _show_plan(settings, run or Path("runs") / settings.name, as_json)
        return
    count, devices = size(workers, device)
    if resume is not None:
        plan, storage, data = work.resume(resume, storage, data)
    else:
        settings = read_space(Path(str(space)))
        data = data or Path("prepared")
        plan = work.begin(settings, data, run or Path("runs") / settings.name, storage, device=device, force=force)
    _watch(plan, work.order(plan, storage, data, device, precision, hours), count, devices, as_json)


def _watch(plan: "Plan", order: "Order", workers: int, devices: int, as_json: bool) -> None:
    """Show how the sweep stands while it runs, and what it came to."""
    from emokit.cli import sweep_tables
    from emokit.errors import WorkError
    from emokit.sweep import run as work
    from emokit.sweep.summary import BEST

    found: dict[str, Any] = {}
    lines = sweep_tables.Lines()
    with contextlib.closing(work.watch(plan, order, workers, devices)) as watched, console.live() as show:
        for found in watched:
            if show:
                show(sweep_tables.standing(found, workers))
            else:
                for line in lines.new(found):
                    console.say(line)
    if as_json:
        console.show_json(found)
    else:
        console.show(sweep_tables.standing(found))
        if found["confirmed"]:
            console.show(sweep_tables.confirmed(found))
    failed = [entry for entry in (*found["trials"], *found["confirmations"]) if entry["state"] == "failed"]
    if failed and not found["best"]:
        raise WorkError(
            f"No point was trained to its end, and {len(failed)} failed, the first: {failed[0]['reason'].rstrip('.')}; "
            f"mend that and go on with `emokit sweep --resume {plan.run}`."
        )
    if failed:
        console.say(f"{len(failed)} failed and are tried again with --resume; the first: {failed[0]['reason']}")
    if not found["is_complete"]:
        console.say("not every point has ended: the time is up, or workers are busy elsewhere")
    again = f"emokit sweep --resume {plan.run}"
    train = f"emokit train {found['experiment']} {plan.run / BEST} --data {order.data}"
    if not as_json:
        console.done(plan.run, train if found["is_complete"] and found["best"] else again)


def _show_status(run: Path, storage: str | None, as_json: bool) -> None:
    from emokit.cli import sweep_tables
    from emokit.sweep.run import look
    from emokit.sweep.summary import summarise

    found = summarise(look(run, storage))
    if as_json:
        console.show_json(found)
        return
    console.show(sweep_tables.standing(found))
    if found["confirmed"]:
        console.show(sweep_tables.confirmed(found))


def _show_plan(settings: Any, where: Path, as_json: bool) -> None:
    """What a dry run shows."""
    from emokit.sweep.space import grid

    points = len(grid(settings)) if settings.is_grid else settings.budget.trials
    epochs = settings.experiment.settings["training"]["max_epochs"]
    search, again = points * settings.seeds, settings.confirm.best * settings.confirm.seeds
    if as_json:
        plan = {"run": str(where), "points": points, "trainings": search, "confirming": again, "max_epochs": epochs}
        console.show_json({**plan, "settings": settings.as_dict()})
        return
    shown = settings.model_copy(update={"experiment": settings.experiment.model_copy(update={"settings": {}})})
    console.show(
        f"{shown.as_yaml()}# {where}: {points} points, {search} trainings of at most {epochs} epochs, "
        f"then {again} that confirm the best"
    )
