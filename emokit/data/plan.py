"""The arguments of `prepare`, and the settings of a prepared folder."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emokit.data.catalogue import Corpus
from emokit.data.label_choice import DEFAULT_CHOICE, LabelChoice
from emokit.data.sources.readers import sources
from emokit.data.splits.draw import SplitSettings
from emokit.data.splits.policies import Division
from emokit.data.transcripts import Recogniser
from emokit.labels import LabelSet
from emokit.settings import Settings


class PreparedSettings(Settings):
    """The settings of a prepared folder; `settings.yaml` holds them and the roots.

    Roots are not part of them, as moving a corpus does not change the result.
    """

    labels: tuple[str, ...]
    """The label set, in its order."""
    corpora: dict[str, Any]
    """Per corpus: its labels, options and split policy."""
    splits: SplitSettings
    """Fractions, seed and fold of the splits."""
    features: dict[str, Any]
    """The settings of the features."""
    transcripts: dict[str, Any] | None = None
    """What identifies the recogniser of the transcripts; None without transcripts."""

    def as_dict(self) -> dict[str, Any]:
        """As `Settings.as_dict`, without transcripts where there are none: folders of before they existed stay as they are."""
        values = super().as_dict()
        return values if values["transcripts"] else {name: values[name] for name in values if name != "transcripts"}


@dataclass(frozen=True)
class Plan:
    """The arguments of `prepare`."""

    corpora: tuple[Corpus, ...]
    features: Settings
    split: SplitSettings
    folds: Path | None = None
    """A clone of EmoBox, for the policies that read its lists."""
    labels: LabelChoice = DEFAULT_CHOICE
    """Which labels the utterances get."""
    recogniser: Recogniser | None = None
    """Transcribes the recordings of utterances without a text; None leaves them without."""

    @property
    def sources(self) -> list[Path]:
        """The folders and files that it reads."""
        splits = [Path(corpus.split) for corpus in self.corpora if corpus.split.lower().endswith(".csv")]
        return [
            *(source for corpus in self.corpora for source in sources(corpus)),
            *splits,
            *([self.folds] if self.folds else []),
        ]

    def as_dict(self) -> dict[str, Any]:
        """All that it asks for, as plain JSON values."""
        return {
            "corpora": [corpus.as_dict() for corpus in self.corpora],
            "features": self.features.as_dict(),
            "splits": self.split.as_dict(),
            "labels": asdict(self.labels),
            **({"transcripts": dict(self.recogniser.identity)} if self.recogniser else {}),
        }

    def settings(self, labels: LabelSet, divisions: dict[str, Division]) -> PreparedSettings:
        """The settings that identify the result."""
        return PreparedSettings(
            labels=labels,
            corpora={
                corpus.name: {
                    "labels": corpus.labels,
                    "options": corpus.portable_options,
                    "split": divisions[corpus.name].identity,
                    **({"reader": corpus.reader} if corpus.reader else {}),
                }
                for corpus in self.corpora
            },
            splits=self.split,
            features=self.features.as_dict(),
            transcripts=dict(self.recogniser.identity) if self.recogniser else None,
        )
