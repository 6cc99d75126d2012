"""`emokit.prepare`: corpora and own data to one prepared folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from emokit.audio.settings import FeatureSettings
from emokit.data.catalogue import Corpus, read_catalogue, with_roots
from emokit.data.label_choice import LabelChoice
from emokit.data.plan import Plan
from emokit.data.splits.draw import SplitSettings
from emokit.errors import UsageError
from emokit.settings import Settings


def corpora_of(
    names: Sequence[str],
    *,
    roots: Sequence[str] = (),
    datasets: Path | None = None,
    missing: dict[str, str] | None = None,
) -> list[Corpus]:
    """The corpora that the arguments of `emokit prepare` name, with their roots.

    Args:
        names: of corpora.
        roots: such as `emodb=/data/emodb`.
        datasets: a user's file like `datasets.yaml`.
        missing: if given, a corpus with an unusable root is left out and its error entered here, instead of raised.

    Raises:
        UsageError: a corpus is unknown or has no root.
        DataError: a root is missing, not a folder, empty or not readable.
    """
    return with_roots(read_catalogue(datasets), names, roots, missing)


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

    Raises:
        UsageError: an option has an unknown or contradictory value.
    """
    policies = policies or {}
    chosen = PrepareSettings.read(None, overrides, {"splits.seed": seed, "splits.fold": fold})
    choice = LabelChoice.read(corpora, labels, maps)
    updated = [corpus.model_copy(update={"split": policies.get(corpus.name, corpus.split)}) for corpus in corpora]
    return Plan(tuple(map(choice.applied, updated)), chosen.features, chosen.splits, folds, choice)


class PrepareSettings(Settings):
    """The groups of settings that `--set` can change."""

    features: FeatureSettings = FeatureSettings()
    splits: SplitSettings = SplitSettings()


def read_policies(names: Sequence[str], given: Sequence[str]) -> dict[str, str]:
    """Corpus -> policy, of every `--split`; one without a corpus applies to all."""
    policies: dict[str, str] = {}
    targets = [text.partition("=")[0] if "=" in text else "" for text in given]
    for target in targets:
        if targets.count(target) > 1:
            raise UsageError(
                f"--split was given {targets.count(target)} times for {target or 'all corpora'}; give it once."
            )
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
