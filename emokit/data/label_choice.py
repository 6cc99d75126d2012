"""The label set of a prepared folder, and the label of each raw label: `--labels` and `--map` over the catalogue's label maps."""

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from emokit.data.catalogue import Corpus
from emokit.data.utterance import Utterance
from emokit.errors import UsageError
from emokit.labels import DEFAULT_LABELS, LabelSet

ALL = "all"
NOTHING = ("", "null", "none")
NONE: Mapping[str, int] = {}
MISSING = ("nan", "n/a", "na", "none", "null", "nil", "-", "?")


@dataclass(frozen=True)
class LabelChoice:
    """Which labels the utterances get.

    Attributes:
        labels: the label set; None for all labels that occur.
        prefers_raw: whether a raw label that is in the label set is its own label, whatever the catalogue maps it to.
        maps: raw label -> label, or None to leave its utterances out; it takes precedence over the catalogue's maps.
    """

    labels: LabelSet | None
    prefers_raw: bool = False
    maps: Mapping[str, str | None] = field(default_factory=dict)

    @classmethod
    def read(cls, corpora: Iterable[Corpus], labels: str | None = None, maps: Iterable[str] = ()) -> "LabelChoice":
        """The choice that a command line makes.

        Args:
            corpora: what is prepared.
            labels: names joined by commas; `all` for all that occur; None for the default set, or, where all corpora are a
                user's own, all that occur.
            maps: such as `joy=happy`, or `love=null` to leave its utterances out.

        Raises:
            UsageError: a name is empty or repeated, or a map has another form.
        """
        changes: dict[str, str | None] = {}
        for text in maps:
            raw, separator, label = text.partition("=")
            if not (raw.strip() and separator):
                raise UsageError(f"--map {text} was given where RAW=LABEL was expected, such as --map joy=happy.")
            if raw.strip() in changes:
                raise UsageError(f"--map was given twice for {raw.strip()}; give it once.")
            changes[raw.strip()] = None if label.strip().lower() in NOTHING else label.strip()
        if labels is None:
            is_own = all(corpus.keeps_raw_labels for corpus in corpora)
            return cls(None if is_own else DEFAULT_LABELS, maps=changes)
        if labels.strip().lower() == ALL:
            return cls(None, prefers_raw=True, maps=changes)
        return cls(LabelSet(name.strip() for name in labels.split(",")), prefers_raw=True, maps=changes)

    def applied(self, corpus: Corpus) -> Corpus:
        """A corpus whose label map is that of this choice."""
        labels = {
            raw: raw if self.prefers_raw and (self.labels is None or raw in self.labels) else label
            for raw, label in corpus.labels.items()
        }
        known = self.maps if corpus.keeps_raw_labels else [raw for raw in self.maps if raw in labels]
        return corpus.model_copy(update={"labels": labels | {raw: self.maps[raw] for raw in known}})

    def label_set(
        self, corpora: Collection[Corpus], utterances: Mapping[str, list[Utterance]], dropped: Mapping[str, int] = NONE
    ) -> LabelSet:
        """The label set, of the utterances that were found.

        Args:
            corpora: as `applied` returns them.
            utterances: corpus -> what its reader found.
            dropped: reason -> how many rows or files were dropped for it already.

        Raises:
            UsageError: a map, or the entry of own data, names a raw label that does not occur, or fewer than two labels occur.
        """
        occurring: set[str] = set()
        labels: set[str] = set()
        for corpus in corpora:
            of_corpus = {raw for utterance in utterances.get(corpus.name, ()) for raw in raw_labels(corpus, utterance)}
            known = {
                raw for raw in of_corpus if raw in corpus.labels or corpus.keeps_raw_labels
            }  # `labelled` names others
            labels |= {label for raw in known if (label := label_of(corpus, raw)) is not None}
            occurring |= of_corpus
            unused = next((raw for raw in corpus.labels if raw not in of_corpus and raw not in self.maps), None)
            if corpus.keeps_raw_labels and of_corpus and unused is not None:
                raise UsageError(
                    f"The labels of {corpus.name} map {unused}, which does not occur: its raw labels are "
                    f"{', '.join(sorted(of_corpus))}; correct its entry in the file of --datasets."
                )
        unused = next((raw for raw in self.maps if raw not in occurring), None)
        if unused is not None:
            raise UsageError(
                f"--map {unused}={self.maps[unused] or 'null'} maps nothing: the raw labels are "
                f"{', '.join(sorted(occurring)) or 'none'}; name one of them."
            )
        if self.labels is not None:
            return self.labels
        if len(labels) < 2:
            advice = "name the column of the labels with --columns label=NAME"
            if all(corpus.reader == "class_folders" for corpus in corpora):
                advice = "name a folder that has one for each label"
            reasons = "".join(f", and {count} dropped ({reason})" for reason, count in dropped.items())
            raise UsageError(
                f"Found the labels {', '.join(labels) or '(none)'} where two or more were expected"
                f"{reasons}; {advice}, or the label set with --labels."
            )
        return LabelSet(sorted(labels))


def doubtful(labels: LabelSet) -> list[str]:
    """A sentence, without a full stop, for each label that looks like a missing value, and for each two that look alike."""
    missing = [
        f"the label {label} looks like a missing value and is a label: leave its utterances out with --map {label}=null"
        for label in labels
        if label.casefold() in MISSING
    ]
    first: dict[str, str] = {}
    pairs = [(first.setdefault(_seen(label), label), label) for label in labels]
    return missing + [
        f"the labels {one} and {other} differ only in upper and lower case and are two labels: merge them with "
        f"--map {one}={other}"
        if one.casefold() == other.casefold()
        else f"the labels {one!a} and {other!a} look alike and are two labels: write them with the same characters"
        for one, other in pairs
        if one != other
    ]


def _seen(label: str) -> str:
    """The same for labels that look alike: of compatible characters, without those that have no width."""
    shown = "".join(character for character in label if unicodedata.category(character) != "Cf")
    return unicodedata.normalize("NFKC", shown).casefold()


DEFAULT_CHOICE = LabelChoice(DEFAULT_LABELS)


def raw_labels(corpus: Corpus, utterance: Utterance) -> list[str]:
    """The raw labels of an utterance; a corpus with a label map of its own writes several as `anger+annoyance`."""
    if utterance.votes:
        return list(utterance.votes)
    return [utterance.raw_label] if corpus.keeps_raw_labels else utterance.raw_label.split("+")


def label_of(corpus: Corpus, raw: str) -> str | None:
    """The label of a raw label; None where it is left out.

    Raises:
        KeyError: the label map lacks it.
    """
    if corpus.keeps_raw_labels:
        return corpus.labels.get(raw, raw)
    return corpus.labels[raw]


def label_shares(corpus: Corpus, utterance: Utterance) -> dict[str, float]:
    """Label -> its share of an utterance; empty where all its raw labels are left out.

    Votes for raw labels that are left out do not count. An utterance without votes has its labels in equal shares.
    """
    counts: dict[str, float] = defaultdict(float)
    for raw in raw_labels(corpus, utterance):
        label = label_of(corpus, raw)
        if label is not None:
            counts[label] += utterance.votes[raw] if utterance.votes else 1
    total = sum(counts.values())
    return {label: count / total for label, count in counts.items() if count}


def soft_label(corpus: Corpus, utterance: Utterance, labels: LabelSet) -> list[float] | None:
    """(classes,) shares of the labels, in the order of the label set; None for an utterance without votes."""
    if not utterance.votes:
        return None
    shares = label_shares(corpus, utterance)
    return [shares.get(label, 0.0) for label in labels]
