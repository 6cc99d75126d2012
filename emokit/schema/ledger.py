"""`ledger.json`: what `emokit prepare` did with each corpus."""

from pydantic import Field

from emokit.schema.base import Count, Schema, Share

Leakage = dict[str, dict[str, Count]]
"""What two splits share: kind (speakers, sentences, texts, recordings) -> "train-test" -> number."""


class LabelBySentence(Schema):
    """How well the sentence alone predicts the label of a split: the label that it has most often in train.

    Attributes:
        utterances: number in the split.
        repeated: number of these whose sentence is in train too; the others get the most frequent label of train.
        uar, accuracy: of this prediction.
        uar_of_one_label, accuracy_of_one_label: of the most frequent label of train for all.
    """

    utterances: Count
    repeated: Count
    uar: Share
    uar_of_one_label: Share
    accuracy: Share
    accuracy_of_one_label: Share


class CorpusSplit(Schema):
    """The utterances of a corpus in one split; `speakers` is empty where the corpus names none."""

    utterances: Count
    speakers: list[str] = Field(default_factory=list)


class CorpusLedger(Schema):
    """The counts of one corpus.

    Attributes:
        expected: number of utterances according to the corpus's own papers.
        num_found: number of utterances in its files.
        num_kept: number of utterances in the prepared table.
        with_audio: of these, the number that have a recording.
        transcripts: of these, the number whose text a recogniser wrote.
        dropped, repaired, flagged: reason -> utterance ids or paths.
        skipped: reason -> paths of files and folders that are no utterances of the corpus and were not read.
        labels: label -> number of utterances.
        label_by_sentence: dev and test, where they repeat a sentence (or text) of train -> scores.
    """

    title: str = ""
    licence: str = ""
    homepage: str = ""
    expected: Count | None = None
    num_found: Count = Field(alias="found")
    num_kept: Count = Field(alias="kept")
    with_audio: Count | None = None
    transcripts: Count | None = None
    dropped: dict[str, list[str]] = Field(default_factory=dict)
    repaired: dict[str, list[str]] = Field(default_factory=dict)
    flagged: dict[str, list[str]] = Field(default_factory=dict)
    skipped: dict[str, list[str]] = Field(default_factory=dict)
    labels: dict[str, Count] = Field(default_factory=dict)
    splits: dict[str, CorpusSplit] = Field(default_factory=dict)
    leakage: Leakage = Field(default_factory=dict)
    label_by_sentence: dict[str, LabelBySentence] = Field(default_factory=dict)
    notes: list[str] = Field(default_factory=list)


class Ledger(Schema):
    """The ledger of a prepared folder or a run.

    Attributes:
        failed: corpus that could not be prepared -> error.
        leakage: over all corpora.
        details: utterance id or path -> particulars of its entry.
    """

    corpora: dict[str, CorpusLedger]
    failed: dict[str, str] = Field(default_factory=dict)
    leakage: Leakage = Field(default_factory=dict)
    details: dict[str, str] = Field(default_factory=dict)
