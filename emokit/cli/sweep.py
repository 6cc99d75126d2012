"""`emokit sweep`: search a space of settings, with several workers on one or more machines."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emokit.api.experiments import complete_sweep, find_sweep
from emokit.cli import console

if TYPE_CHECKING:
    from emokit.sweep.plan import Plan
    from emokit.sweep.worker import Order


def sweep(
    space: Annotated[
        Path | None,
        typer.Argument(
            help="YAML file of the search space, or the name of one that comes with emokit.",
            autocompletion=complete_sweep,
        ),
    ] = None,
    data: Annotated[Path | None, typer.Option("--data", "-d", help="Prepared folder; default: prepared.")] = None,
    run: Annotated[
        Path | None, typer.Option("--run", help="Folder to make; default: runs/<name of the sweep>.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Number of processes; default: one per GPU, or one.")] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            help="Database that several machines share, as postgresql://USER:PASSWORD@HOST/DATABASE or mysql://…; "
            "default: a journal file in the run folder."
        ),
    ] = None,
    hours: Annotated[float | None, typer.Option(help="Time limit; --resume continues after it.", min=0)] = None,
    resume: Annotated[Path | None, typer.Option("--resume", help="Resume the sweep in this folder.")] = None,
    status: Annotated[Path | None, typer.Option("--status", help="Show the state of the sweep in this folder.")] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, float32, bf16 or fp16.")] = "auto",
    force: Annotated[bool, typer.Option("--force", help="Replace an existing run folder.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the space and show its size; train nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print sweep.json.")] = False,
) -> None:
    """Search a space of settings on dev and train the best points again with fresh seeds. Test is never read.

    Example: emokit sweep experiments/audio/v3_sweep.yaml --data prepared --run runs/sweep --workers 2
    """
    from emokit.errors import UsageError
    from emokit.files import refuse_inputs
    from emokit.runs import check_flags
    from emokit.runtime import check_workers

    check_workers(workers)
    check_flags(resume=resume is not None, force=force)
    if sum(argument is not None for argument in (space, resume, status)) != 1:
        raise UsageError("Give exactly one of: a space's YAML file, --resume RUN, --status RUN.")
    if dry_run and space is None:
        raise UsageError("--dry-run was given without a space; name a space's YAML file.")
    if status is not None:
        _show_status(status, storage, as_json)
        return

    from emokit.sweep import run as work
    from emokit.sweep.space import check_data, read_space
    from emokit.sweep.train_point import HELD_OUT
    from emokit.workers import size

    settings = None if space is None else read_space(find_sweep(space))
    if settings and force:
        refuse_inputs(run or Path("runs") / settings.name, [space])
    from emokit.runtime import choose_device
    from emokit.training.hardware import choose_precision, num_processes

    choose_precision(precision, choose_device(device))  # a worker that refuses it would leave a folder behind
    num_processes()
    if settings and dry_run:
        from emokit.data.prepared import open_prepared

        work.check_startable(settings, run or Path("runs") / settings.name, storage, data, force=force)
        if data is not None:  # a space can be shown before any data are prepared
            check_data(settings, open_prepared(data), HELD_OUT)
        _show_plan(settings, run or Path("runs") / settings.name, as_json)
        return
    count, devices = size(workers, device)
    if settings is None:
        plan, storage, data = work.resume(Path(str(resume)), storage, data)
    else:
        data = data or Path("prepared")
        plan = work.begin(settings, data, run or Path("runs") / settings.name, storage, device=device, force=force)
    _watch(plan, work.order(plan, storage, data, device, precision, hours), count, devices, as_json)


def _watch(plan: "Plan", order: "Order", workers: int, devices: int, as_json: bool) -> None:
    """Show the sweep's state while it runs, and its results at the end."""
    from emokit.cli import sweep_tables
    from emokit.errors import WorkError
    from emokit.sweep import run as work
    from emokit.sweep.summary import BEST

    summary: dict[str, Any] = {}
    log = sweep_tables.PointLog()
    with contextlib.closing(work.watch(plan, order, workers, devices)) as summaries, console.live() as show:
        for summary in summaries:
            if show:
                show(sweep_tables.standing(summary, workers))
            else:
                for line in log.new_lines(summary):
                    console.say(line)
    if as_json:
        console.show_json(summary)
    else:
        console.show(sweep_tables.standing(summary))
        if summary["confirmed"]:
            console.show(sweep_tables.confirmed(summary))
    failed = [entry for entry in (*summary["trials"], *summary["confirmations"]) if entry["state"] == "failed"]
    resume = order.resume_command
    if failed and not summary["best"]:
        raise WorkError(
            f"No point completed its training and {len(failed)} failed, the first: {failed[0]['reason'].rstrip('.')}; "
            f"fix that and resume with `{resume}`."
        )
    if failed:
        console.say(f"{len(failed)} failed; --resume retries them; the first: {failed[0]['reason']}")
    if not summary["is_complete"]:
        console.say("some points have not ended: the time limit was reached, or other workers are training them")
    train = f"emokit train {summary['modality']} {plan.run / BEST} --data {order.data}"
    if not as_json:
        console.done(plan.run, train if summary["is_complete"] and summary["best"] else resume)


def _show_status(run: Path, storage: str | None, as_json: bool) -> None:
    from emokit.cli import sweep_tables
    from emokit.sweep.run import read_plan
    from emokit.sweep.summary import summarise

    summary = summarise(read_plan(run, storage))
    if as_json:
        console.show_json(summary)
        return
    console.show(sweep_tables.standing(summary))
    if summary["confirmed"]:
        console.show(sweep_tables.confirmed(summary))


def _show_plan(settings: Any, run: Path, as_json: bool) -> None:
    """Show what would be trained."""
    from emokit.sweep.space import grid_size

    points = grid_size(settings) if settings.is_grid else settings.budget.trials
    epochs = settings.experiment.settings["training"]["max_epochs"]
    trainings, confirming = points * settings.seeds, min(settings.confirm.best, points) * settings.confirm.seeds
    if as_json:
        plan = {
            "run": str(run),
            "points": points,
            "trainings": trainings,
            "confirming": confirming,
            "max_epochs": epochs,
        }
        console.show_json({**plan, "settings": settings.as_dict()})
        return
    shown = settings.model_copy(update={"experiment": settings.experiment.model_copy(update={"settings": {}})})
    console.show(
        f"{shown.as_yaml()}# {run}: {points} points, {trainings} trainings of at most {epochs} epochs, "
        f"then {confirming} to confirm the best"
    )
