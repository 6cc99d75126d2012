"""`emokit fuse-search`: predictions of several modalities become one fused run, with what fusion really adds."""

from pathlib import Path
from typing import Annotated

import typer

from emokit.cli import console


def fuse_search(
    modalities: Annotated[
        list[str],
        typer.Argument(
            help="NAME=PATH: a run folder, or a parquet or CSV table with dev and test in its column split; "
            "a name given twice has two tables.",
            metavar="NAME=PATH",
        ),
    ],
    experiment: Annotated[Path | None, typer.Option("--settings", help="A YAML file of settings.")] = None,
    run: Annotated[Path, typer.Option("--run", help="The run folder to make.")] = Path("runs/fused"),
    step: Annotated[float | None, typer.Option(help="Short for --set fusion.step=…")] = None,
    objective: Annotated[
        str | None, typer.Option(help="weighted_f1, macro_f1, uar, accuracy or nll, for --set fusion.objective=…")
    ] = None,
    pooling: Annotated[str | None, typer.Option(help="linear, log or both, for --set fusion.pooling=…")] = None,
    missing: Annotated[str | None, typer.Option(help="drop or renormalise, for --set fusion.missing=…")] = None,
    choice: Annotated[
        str | None, typer.Option(help="searched, one_se or equal weights, for --set fusion.choice=…")
    ] = None,
    resamples: Annotated[int | None, typer.Option(help="Short for --set fusion.resamples=…")] = None,
    seed: Annotated[int | None, typer.Option(help="Short for --set fusion.seed=…")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="A setting, such as fusion.folds=10.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a run folder that exists.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Join and count; search nothing, write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="fusion.json on stdout.")] = False,
) -> None:
    """Search fusion weights on dev, say how sure they are and whether fusion helps; score test once.

    Example: emokit fuse-search audio=runs/a text=runs/t vision=face.parquet --run runs/fused --step 0.02
    """
    from emokit.fusion.late.settings import FusionSettings

    flags = {"step": step, "objective": objective, "pooling": pooling, "missing": missing, "choice": choice}
    flags |= {"resamples": resamples, "seed": seed}
    settings = FusionSettings.read(
        experiment, set_ or [], {"name": run.resolve().name} | {f"fusion.{key}": value for key, value in flags.items()}
    )

    from emokit.cli import fusion_tables as tables
    from emokit.fusion.late import inputs
    from emokit.fusion.late import run as work
    from emokit.fusion.late.simplex import num_points

    paths = inputs.parse(modalities)
    if dry_run:
        _, _, counts = work.inputs(settings, paths)
        plan = {"run": str(run), "joined": counts, "points": num_points(len(paths), settings.fusion.steps)}
        console.show_json({**plan, "settings": settings.as_dict()}) if as_json else console.show(
            f"{settings.as_yaml()}# {run}: {plan['points']:,} weight vectors per pooling"
        )
        if not as_json:
            for line in tables.joined(counts):
                console.say(line)
        return
    found = work.fuse(settings, paths, run, force=force)

    from emokit.report.figures.fusion import write

    pictures = write(run)
    if as_json:
        console.show_json(found)
        return
    for line in tables.joined(found["joined"]):
        console.say(line)
    console.show(tables.ladder(found))
    for line in tables.certainty(found):
        console.show(line)
    console.show(found["verdict"])
    console.say(f"{len(pictures)} figures in {run / 'figures'}")
    console.done(run, f"emokit report {run} --out report")
