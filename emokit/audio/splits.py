"""The splits of a prepared folder as a training takes them: rows and features side by side."""

from dataclasses import dataclass

import numpy
import pandas

from emokit.audio.feature_cache import features_of
from emokit.audio.settings import AudioSettings, FeatureSettings
from emokit.audio.spectrogram.normalise import statistics_of
from emokit.data.prepared import Prepared
from emokit.errors import DataError, UsageError
from emokit.labels import LABELS, TARGETS
from emokit.training.run import HELD_OUT


@dataclass(frozen=True)
class SplitData:
    """One split of the data: its rows and their features, in the same order."""

    table: pandas.DataFrame
    log_mels: list[numpy.ndarray]
    """Per utterance (frames, mels) float16 decibels, mapped from disk."""
    statistics: numpy.ndarray | None
    """(utterances, 2, mels): what each is standardised with; None where the training split's statistics serve all."""

    @property
    def targets(self) -> numpy.ndarray:
        """(utterances,) class numbers."""
        return self.table["label"].map(TARGETS).to_numpy(numpy.int64)


def read_splits(
    settings: AudioSettings, prepared: Prepared, held_out: tuple[str, ...] = HELD_OUT
) -> dict[str, SplitData]:
    """The training split and those held out, of the corpora that the settings name.

    Raises:
        UsageError: a corpus is not in the prepared folder, or training has fewer utterances than a batch.
        DataError: a split has no utterance, or training lacks a class.
    """
    table = prepared.table[prepared.table["path"].notna()]
    corpora = settings.data.corpora
    there = sorted(table["corpus"].unique())
    for corpus in corpora or ():
        if corpus not in there:
            raise UsageError(
                f"data.corpora names {corpus} and {prepared.folder} has {', '.join(there)}; prepare it too."
            )
    if corpora:
        table = table[table["corpus"].isin(corpora)]
    store = prepared.features(features_wanted(settings, prepared))
    parts = {}
    for split in ("train", *held_out):
        rows = table[table["split"] == split].reset_index(drop=True)
        if rows.empty:
            raise DataError(
                f"{prepared.folder} has no {split} utterances with sound of {', '.join(corpora or there)}; "
                f"prepare a corpus with at least 3 speakers, or put one into {split} with --split CORPUS={split}."
            )
        log_mels = [store[name] for name in rows["utterance_id"]]
        parts[split] = SplitData(rows, log_mels, statistics_of(settings.data, rows, log_mels))
    found = set(parts["train"].table["label"])
    missing = [label for label in LABELS if label in set(table["label"]) and label not in found]
    if missing:
        raise DataError(
            f"The train split has no utterance labelled {missing[0]}, which dev or test have; "
            "prepare more corpora or another split seed."
        )
    if settings.model.kind != "functionals" and len(parts["train"].table) < settings.training.batch_size:
        raise UsageError(
            f"training.batch_size is {settings.training.batch_size} and the train split has "
            f"{len(parts['train'].table)} utterances; lower it with --batch-size."
        )
    return parts


def tables_of(parts: dict[str, SplitData]) -> dict[str, pandas.DataFrame]:
    """The rows of each split."""
    return {split: part.table for split, part in parts.items()}


def features_wanted(settings: AudioSettings, prepared: Prepared) -> FeatureSettings:
    """What spectrograms are made with; a pretrained encoder hears the sound itself, and its baseline takes what there is."""
    return features_of(prepared) if settings.model.name else settings.features
