"""`emokit fuse-search`: fuse predictions of several modalities with weights searched on dev."""

from pathlib import Path
from typing import Annotated

import typer

from emokit.cli import console


def fuse_search(
    modalities: Annotated[
        list[str],
        typer.Argument(
            help="NAME=PATH: run folder, or parquet or CSV table with dev and test in its column split; repeat a NAME to "
            "give dev and test as two tables.",
            metavar="NAME=PATH",
        ),
    ],
    experiment: Annotated[Path | None, typer.Option("--settings", help="YAML file of settings.")] = None,
    run: Annotated[Path, typer.Option("--run", help="Run folder to make.")] = Path("runs/fused"),
    step: Annotated[float | None, typer.Option(help="Short for --set fusion.step=…")] = None,
    objective: Annotated[
        str | None,
        typer.Option(help="Short for --set fusion.objective=…: weighted_f1, macro_f1, uar, accuracy or nll."),
    ] = None,
    pooling: Annotated[str | None, typer.Option(help="Short for --set fusion.pooling=…: linear, log or both.")] = None,
    missing: Annotated[str | None, typer.Option(help="Short for --set fusion.missing=…: drop or renormalise.")] = None,
    choice: Annotated[
        str | None, typer.Option(help="Short for --set fusion.choice=…: one_se, searched or equal.")
    ] = None,
    resamples: Annotated[int | None, typer.Option(help="Short for --set fusion.resamples=…")] = None,
    seed: Annotated[int | None, typer.Option(help="Short for --set fusion.seed=…")] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map", help="New name of a label, such as joy=happy, where modalities have different label sets."
        ),
    ] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="A setting, such as fusion.folds=10.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing run folder.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Join and count; neither search nor write.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the content of fusion.json.")] = False,
) -> None:
    """Search fusion weights on dev, with intervals for the weights and for the gain over the best single modality on test.

    Example: emokit fuse-search audio=runs/a text=runs/t vision=face.parquet --run runs/fused --step 0.02
    """
    from emokit.files import refuse_inputs
    from emokit.fusion.late.settings import FusionSettings
    from emokit.predictions import read_label_map

    flags = {
        "fusion.step": step,
        "fusion.objective": objective,
        "fusion.pooling": pooling,
        "fusion.missing": missing,
        "fusion.choice": choice,
        "fusion.resamples": resamples,
        "fusion.seed": seed,
        "fusion.label_map": read_label_map(map_) if map_ else None,
    }
    settings = FusionSettings.read(experiment, set_ or [], flags)
    if force:
        refuse_inputs(run, [experiment])
    if "name" not in settings.model_fields_set:
        # Checked as a name that was typed: the folder's may have a space.
        settings = FusionSettings.make({**settings.as_dict(), "name": run.resolve().name}, "The command line")

    from emokit.cli import fusion_tables as tables
    from emokit.fusion.late import inputs
    from emokit.fusion.late.run import check_startable, fuse, read_inputs
    from emokit.fusion.late.simplex import num_points
    from emokit.fusion.late.wording import equal_modalities

    paths = inputs.parse(modalities)
    if dry_run:
        check_startable(paths, run, force=force)
        _, panels, counts = read_inputs(settings, paths)
        points = num_points(len(paths), settings.fusion.steps)
        if as_json:
            console.show_json({"run": str(run), "joined": counts, "points": points, "settings": settings.as_dict()})
            return
        console.show(f"{settings.as_yaml()}# {run}: {points:,} weight vectors per pooling")
        for line in [*tables.joined(counts), *tables.declared("; ".join(equal_modalities(panels)))]:
            console.say(line)
        return
    fusion = fuse(settings, paths, run, force=force)

    from emokit.report.figures.fusion import write

    figures = write(run)
    if as_json:
        console.show_json(fusion)
        return
    for line in [*tables.joined(fusion["joined"]), *tables.declared(fusion.get("declared", ""))]:
        console.say(line)
    console.show(tables.methods_table(fusion))
    for line in tables.uncertainty(fusion):
        console.show(line)
    console.show(fusion["verdict"])
    console.say(f"{len(figures)} figures in {run / 'figures'}")
    console.done(run, f"emokit report {run} --out report")
