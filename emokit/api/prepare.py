"""`emokit.prepare`: corpora and own data to one prepared folder."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from emokit.audio.settings import FeatureSettings
from emokit.data.catalogue import Corpus, known_names, read_catalogue, with_roots
from emokit.data.label_choice import LabelChoice
from emokit.data.plan import Plan
from emokit.data.sources.own.arguments import described, is_own, read_argument
from emokit.data.splits.draw import SplitSettings
from emokit.data.transcripts import Recogniser
from emokit.errors import DataError, UsageError
from emokit.settings import Settings

EMOBOX = "emobox"  # the split policy that reads the lists of a clone


def corpora_of(
    names: Sequence[str],
    *,
    roots: Sequence[str] = (),
    datasets: Path | None = None,
    audio_root: Path | None = None,
    columns: Mapping[str, str] | None = None,
    missing: dict[str, str] | None = None,
) -> list[Corpus]:
    """The corpora that the arguments of `emokit prepare` name, with their roots.

    Args:
        names: of corpora, or of own data: `calls=labels.csv`, `calls=DIR`, `hf:NAME`.
        roots: such as `emodb=/data/emodb`.
        datasets: a user's file like `datasets.yaml`.
        audio_root: the folder that the paths of own tables are relative to; None for the folder of each table.
        columns: what a column of own data holds -> its name, as `read_columns` returns it.
        missing: if given, a corpus with an unusable root is left out and its error entered here, instead of raised.

    Raises:
        UsageError: a corpus is unknown or has no root, or a column is not there.
        DataError: a root is missing, not a folder, empty or not readable, or own data cannot be read.
    """
    known, given = read_catalogue(datasets, names), dict(columns or {})
    if (given or audio_root) and not any(
        is_own(name) or (name in known and known[name].takes_columns) for name in names
    ):
        option = f"--audio-root {audio_root}" if audio_root else f"--columns {'='.join(next(iter(given.items())))}"
        raise UsageError(f"{option} is for data of your own, and none are named; name them, such as calls=labels.csv.")
    _check_roots(names, roots)
    chosen: list[str] = []
    own: set[str] = set()
    for name in dict.fromkeys(names):
        with _collected(missing, name.partition("=")[0]):
            corpus = known.get(name)
            if is_own(name) and "=" in name and name.partition("=")[0] in own:
                twice = name.partition("=")[0]
                raise UsageError(
                    f"{twice} was named twice; join its tables as {twice}=FILE,FILE, or give the other data another name."
                )
            if is_own(name):
                own.add(name.partition("=")[0])
                corpus = read_argument(name, known_names(known), given, audio_root)
            elif corpus and corpus.takes_columns:
                options = {**corpus.options, "columns": {**corpus.options.get("columns", {}), **given}}
                corpus = corpus.model_copy(update={"options": options, "root": audio_root or corpus.root})
            known |= {corpus.name: corpus} if corpus else {}
            chosen.append(corpus.name if corpus else name)
    without_folder = [name for name in chosen if name in known and known[name].reader == "hub"]
    in_folders = with_roots(known, [name for name in chosen if name not in without_folder], roots, missing)
    rooted = {corpus.name: corpus for corpus in in_folders} | {name: known[name] for name in without_folder}
    corpora = []
    for name in chosen:
        with _collected(missing, name):
            if name in rooted:
                corpora.append(described(rooted[name]))
    return corpora


def _check_roots(names: Sequence[str], roots: Sequence[str]) -> None:
    """Refuse a `--root` for own data whose folder or table is named already: it would not be used."""
    own = {name.partition("=")[0]: name for name in names if is_own(name)}
    for root in roots:
        if argument := own.get(root.partition("=")[0]):
            raise UsageError(
                f"--root {root} was given for {argument}, which names its place; leave it out, or name the folder of a table's "
                "recordings with --audio-root."
            )


@contextlib.contextmanager
def _collected(missing: dict[str, str] | None, name: str) -> Iterator[None]:
    """Enter an error of the data of a corpus in `missing`, if that is given."""
    try:
        yield
    except DataError as error:
        if missing is None:
            raise
        missing[name] = str(error)


def plan_of(
    corpora: Sequence[Corpus],
    *,
    labels: str | None = None,
    maps: Sequence[str] = (),
    policies: Mapping[str, str] | None = None,
    fold: int | None = None,
    folds: Path | None = None,
    seed: int | None = None,
    overrides: Sequence[str] = (),
    recogniser: Recogniser | None = None,
) -> Plan:
    """The plan that the options of `emokit prepare` describe.

    Args:
        corpora: with their roots.
        labels: the label set, as `LabelChoice.read` takes it.
        maps: such as `joy=happy`.
        policies: corpus -> split policy, where it is not the catalogue's.
        fold: number of the fold that the split shows.
        folds: a clone of EmoBox.
        seed: of the splits.
        overrides: settings of features and splits, such as `features.n_mels=64`.
        recogniser: transcribes the recordings of utterances without a text.

    Raises:
        UsageError: an option has an unknown or contradictory value.
    """
    policies = policies or {}
    chosen = PrepareSettings.read(None, overrides, {"splits.seed": seed, "splits.fold": fold})
    choice = LabelChoice.read(corpora, labels, maps)
    updated = [corpus.model_copy(update={"split": policies.get(corpus.name, corpus.split)}) for corpus in corpora]
    if folds and EMOBOX not in (*policies.values(), *(corpus.split for corpus in updated)):
        raise UsageError(
            f"--folds {folds} was given and no corpus is split by EmoBox's lists; add --split {EMOBOX}, or leave it out."
        )
    return Plan(tuple(map(choice.applied, updated)), chosen.features, chosen.splits, folds, choice, recogniser)


class PrepareSettings(Settings):
    """The groups of settings that `--set` can change."""

    features: FeatureSettings = FeatureSettings()
    splits: SplitSettings = SplitSettings()


def check_policies(given: Sequence[str]) -> None:
    """Refuse a `--split` that was given twice for a corpus, or for all of them.

    Raises:
        UsageError: names the corpus.
    """
    targets = [text.partition("=")[0] if "=" in text else "" for text in given]
    for target in targets:
        if targets.count(target) > 1:
            raise UsageError(
                f"--split was given {targets.count(target)} times for {target or 'all corpora'}; give it once."
            )


def read_policies(names: Sequence[str], given: Sequence[str]) -> dict[str, str]:
    """Corpus -> policy, of every `--split`; one without a corpus applies to all.

    Raises:
        UsageError: one was given twice, or names a corpus that is not prepared.
    """
    check_policies(given)
    policies: dict[str, str] = {}
    for text in given:
        name, separator, policy = text.partition("=")
        if not separator:
            policies |= dict.fromkeys(names, name)
        elif name in names:
            policies[name] = policy
        else:
            raise UsageError(
                f"--split {text} names a corpus that is not prepared; name one of {', '.join(sorted(names))}."
            )
    return policies
