"""`emokit prepare`: corpora on disk become one checked, split table of utterances with features."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emokit.cli import console

if TYPE_CHECKING:
    from emokit.audio.settings import FeatureSettings
    from emokit.data.catalogue import Corpus
    from emokit.data.plan import Plan


def prepare(
    corpora: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names of corpora: emodb ravdess savee tess … (--show-labels lists all, those of plug-ins too); "
            "or your own data: NAME=FILE[,FILE…] (a table), NAME=DIR (a folder per label), hf:NAME or hf:DIR (a data set of "
            "the library datasets).",
            metavar="CORPUS…",
        ),
    ] = None,
    root: Annotated[
        list[str] | None, typer.Option("--root", "-r", help="Folder of a corpus, as NAME=DIR; once per corpus.")
    ] = None,
    download: Annotated[
        Path | None,
        typer.Option(
            help="Download corpora without a folder into DIR/NAME first, where they are freely available: "
            "crema_d emodb goemotions meld ravdess tess.",
            metavar="DIR",
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Prepared folder to make or to continue.")] = Path(
        "prepared"
    ),
    datasets: Annotated[
        Path | None,
        typer.Option(
            help="YAML file like datasets.yaml with your changes (roots, labels, splits) and corpora of your own."
        ),
    ] = None,
    audio_root: Annotated[
        Path | None,
        typer.Option(
            help="Folder that the paths in a table are relative to; by default that of the table.",
            metavar="DIR",
        ),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--columns",
            help="A column of a table, such as label=emotion or path=file; label=A,B,C for annotators; speaker= to ignore one. "
            "KEY is label, path, text, text_source, utterance_id, speaker, gender, language, sentence, dialogue, turn, "
            "split, fold, start or end (seconds).",
            metavar="KEY=NAME",
        ),
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(
            "--split",
            help="Split policy, as NAME=POLICY, or POLICY for all: speaker, sentence, speaker+sentence, official, emobox, "
            "emo-superb, leave-one-speaker-out, leave-one-session-out, leave-one-corpus-out, train, dev, test, or a CSV with "
            "utterance_id and split; for your own data also auto, dialogue, stratified.",
        ),
    ] = None,
    fold: Annotated[
        int | None,
        typer.Option(help="Fold that the split shows, from 1, where the policy has folds."),
    ] = None,
    folds: Annotated[
        Path | None,
        typer.Option(
            help="Clone of EmoBox, for its folds of crema_d, emodb, meld and tess.",
            metavar="DIR",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Random seed of the splits.")] = None,
    labels: Annotated[
        str | None,
        typer.Option(help="Label set, as NAME,NAME…; all for the corpora's own labels, all that occur."),
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            help="Label of a raw label, such as joy=happy; love=null leaves its utterances out.",
            metavar="RAW=LABEL",
        ),
    ] = None,
    transcribe: Annotated[
        str | None,
        typer.Option(
            help="Transcribe the recordings without a text: folder or hub name of a Whisper model, or the URL of an "
            "OpenAI-compatible API, as of emokit transcribe.",
            metavar="MODEL",
        ),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(
            help="With --transcribe: language of all recordings; by default that of the corpus, else detected."
        ),
    ] = None,
    translate: Annotated[
        str | None,
        typer.Option(help="With --transcribe: model that translates transcripts into English.", metavar="MODEL"),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting, such as features.hop_length=256 or splits.test_share=0.3."),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that decode; one per processor by default.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Rebuild --out if it was prepared with different settings.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be prepared; write nothing.")] = False,
    push: Annotated[
        str | None,
        typer.Option(
            help="Upload the prepared folder as a data set to the hub, as emokit push does.", metavar="USER/NAME"
        ),
    ] = None,
    show_labels: Annotated[
        bool,
        typer.Option("--show-labels", help="Show the label of every raw label, and exit."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the ledger as JSON.")] = False,
) -> None:
    """Read corpora, check and relabel their utterances, split them without leakage, cache their features.

    Examples: emokit prepare emodb ravdess --root emodb=DIR --root ravdess=DIR --out prepared,
    emokit prepare calls=labels.csv --audio-root DIR --columns label=emotion
    """
    from emokit.api.prepare import check_policies, corpora_of, plan_of, read_policies
    from emokit.cli.prepare_output import show, survey
    from emokit.data import unchanged
    from emokit.data.catalogue import known_names, plugin_corpora, read_catalogue
    from emokit.data.publish.upload import check_name
    from emokit.data.sources.own.arguments import is_own
    from emokit.data.sources.own.columns import read_columns
    from emokit.errors import UsageError
    from emokit.modality.transcribing import recogniser_of
    from emokit.runtime import check_workers

    check_workers(workers)
    check_policies(split or [])
    if push:
        check_name(push)  # before hours of work
    catalogue = read_catalogue(datasets, corpora or ())
    if show_labels:
        unknown = [name for name in corpora or () if name not in catalogue]
        if unknown and is_own(unknown[0]):
            raise UsageError(
                f"--show-labels shows the label maps of known corpora, and {unknown[0]} has none; "
                "see its labels with --dry-run."
            )
        if unknown:
            raise UsageError(
                f"The corpus {unknown[0]} is unknown; expected one of {', '.join(known_names(catalogue))}."
            )
        from emokit.cli import tables

        others, unusable = ([], {}) if corpora else plugin_corpora(datasets)
        for sentence in unusable.values():
            console.say(f"left out: {sentence}")
        shown = [catalogue[name] for name in corpora or catalogue] + others
        console.show_json({c.name: c.labels for c in shown}) if as_json else console.show(tables.labels(shown))
        return
    if not corpora:
        raise UsageError(
            f"No corpus was named; name one or more of {', '.join(known_names(catalogue))}, "
            "or data of your own: NAME=FILE or NAME=DIR."
        )
    if download:
        known = [name for name in corpora if not is_own(name)]
        if not known:
            raise UsageError(f"--download {download} was given, and only your own data is named; leave it out.")
        root = [*(root or []), *_fetched(catalogue, known, root or [], download, dry_run=dry_run)]
    missing: dict[str, str] | None = {} if dry_run else None
    chosen = corpora_of(
        corpora,
        roots=root or [],
        datasets=datasets,
        audio_root=audio_root,
        columns=read_columns(columns or []),
        missing=missing,
    )
    plan = plan_of(
        chosen,
        labels=labels,
        maps=map_ or [],
        policies=read_policies([*(corpus.name for corpus in chosen), *(missing or {})], split or []),
        fold=fold,
        folds=folds,
        seed=seed,
        overrides=set_ or [],
        recogniser=recogniser_of(transcribe, language, translate),
    )
    if missing is not None:
        survey(plan, missing, as_json=as_json)
        return
    sources_hash = unchanged.inputs(plan.as_dict(), plan.sources)
    if not force and unchanged.is_unchanged(out, sources_hash):
        console.say(f"nothing has changed since {out} was prepared")
    else:
        _make(plan, out, workers, force=force)
        unchanged.remember(out, sources_hash)
    if push:
        from emokit.api.push import push_folder

        console.say(f"uploaded to {push_folder(out, push)}")
    show(out, as_json=as_json)


def _fetched(
    catalogue: "dict[str, Corpus]", names: list[str], roots: list[str], folder: Path, *, dry_run: bool
) -> list[str]:
    """NAME=DIR of every corpus without a folder that was downloaded; a dry run only prints the addresses."""
    from emokit.data.download.corpus import download, wanted

    corpora = wanted(catalogue, names, roots)
    if dry_run:
        for entry in [entry for corpus in corpora for entry in corpus.download]:
            console.say(f"would download {entry.url}")
    else:
        for corpus in corpora:
            download(corpus, folder, console.progress, console.say)
    return [f"{corpus.name}={folder / corpus.name}" for corpus in corpora]


def _make(plan: "Plan", out: Path, workers: int | None, *, force: bool) -> None:
    """Prepare, with a progress bar for the audio and then one for the transcripts."""
    from emokit.audio.spectrogram.log_mel import LogMel
    from emokit.data.prepare import prepare as work
    from emokit.runtime import num_processors

    features: FeatureSettings = plan.features  # type: ignore[assignment]
    with contextlib.ExitStack() as bars:
        reading = bars.enter_context(console.progress("reading audio"))
        second: list[console.Progress] = []

        def transcribing(done: int, total: int) -> None:
            if not second:
                bars.close()
                second.append(bars.enter_context(console.progress("transcribing")))
            second[0](done, total)

        work(
            plan,
            out,
            LogMel(features),
            num_workers=workers or num_processors(),
            force=force,
            progress=reading,
            transcribing=transcribing,
        )
