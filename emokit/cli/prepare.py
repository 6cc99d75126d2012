"""`emokit prepare`: corpora on disk become one checked, split table of utterances and their features."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emokit.cli import console

if TYPE_CHECKING:
    from emokit.audio.settings import FeatureSettings
    from emokit.data.catalogue import Corpus
    from emokit.data.prepare import Plan


def prepare(
    corpora: Annotated[
        list[str] | None, typer.Argument(help="The corpora, by name: emodb ravdess savee tess …", metavar="CORPUS…")
    ] = None,
    root: Annotated[
        list[str] | None, typer.Option("--root", "-r", help="Where a corpus lies, as NAME=DIR; once per corpus.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The prepared folder to make or to go on with.")] = Path(
        "prepared"
    ),
    datasets: Annotated[
        Path | None,
        typer.Option(help="A YAML file like datasets.yaml with what you want otherwise: roots, labels, splits."),
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option("--split", help="How to split, as NAME=POLICY: speaker, official, train, dev, test."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The seed of the splits.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting, such as features.hop_length=256 or splits.test_share=0.3."),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that decode; one per processor by default.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Make a folder of other settings anew.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be found and kept; write nothing.")
    ] = False,
    show_labels: Annotated[
        bool, typer.Option("--show-labels", help="Show what becomes of every raw label, and end.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The ledger as JSON on stdout.")] = False,
) -> None:
    """Find corpora, check and relabel their utterances, split them without leakage, cache their features.

    Example: emokit prepare emodb ravdess --root emodb=DIR --root ravdess=DIR --out prepared
    """
    from emokit.audio.features import LogMel
    from emokit.cli import tables
    from emokit.data import prepare as work
    from emokit.data.catalogue import read_catalogue, with_roots
    from emokit.errors import DataError, UsageError
    from emokit.runtime import num_workers

    catalogue = read_catalogue(datasets)
    if show_labels:
        unknown = [name for name in corpora or () if name not in catalogue]
        if unknown:
            raise UsageError(f"The corpus {unknown[0]} is unknown; expected one of {', '.join(catalogue)}.")
        chosen = [catalogue[name] for name in corpora or catalogue]
        console.show_json({c.name: c.labels for c in chosen}) if as_json else console.show(tables.labels(chosen))
        return
    if not corpora:
        raise UsageError(f"No corpus was named; name one or more of {', '.join(catalogue)}.")
    plan = _plan(with_roots(catalogue, corpora, root or []), split or [], set_ or [], seed)
    if dry_run:
        counts = work.survey(plan)
        console.show_json(counts) if as_json else console.show(tables.survey(counts))
        return
    features: FeatureSettings = plan.features  # type: ignore[assignment]
    with console.progress("reading sound") as progress:
        prepared = work.prepare(
            plan, out, LogMel(features), num_workers=num_workers(workers), force=force, progress=progress
        )
    if as_json:
        console.show_json({"folder": str(out), "fingerprint": prepared.fingerprint, **prepared.ledger})
    else:
        for table in (tables.ledger, tables.splits, tables.leakage):
            console.show(table(prepared.ledger))
        for line in tables.remarks(prepared.ledger):
            console.say(line)
    failed = prepared.ledger["failed"]
    for sentence in failed.values():
        console.say(f"error: {sentence}")
    if not as_json:
        console.done(out, None if failed else f"emokit train audio --data {out} --run runs/acrnn")
    if failed:
        raise typer.Exit(DataError.exit_code)


def _plan(corpora: "list[Corpus]", policies: list[str], overrides: list[str], seed: int | None) -> "Plan":
    from emokit.audio.settings import FeatureSettings
    from emokit.data.prepare import Plan
    from emokit.data.splits import SplitSettings
    from emokit.errors import UsageError
    from emokit.settings import Settings

    class PrepareSettings(Settings):
        """What `--set` can reach."""

        features: FeatureSettings = FeatureSettings()
        splits: SplitSettings = SplitSettings()

    chosen = PrepareSettings.read(None, overrides, {"splits.seed": seed})
    names = {corpus.name for corpus in corpora}
    changed: dict[str, str] = {}
    for text in policies:
        name, separator, policy = text.partition("=")
        if not separator:
            changed |= dict.fromkeys(names, name)
        elif name in names:
            changed[name] = policy
        else:
            raise UsageError(
                f"--split {text} names a corpus that is not prepared; name one of {', '.join(sorted(names))}."
            )
    updated = tuple(c.model_copy(update={"split": changed.get(c.name, c.split)}) for c in corpora)
    return Plan(updated, chosen.features, chosen.splits)
