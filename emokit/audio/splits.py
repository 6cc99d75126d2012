"""The splits of a prepared folder as an audio training uses them: rows and log-mels side by side."""

from dataclasses import dataclass

import numpy
import pandas

from emokit.audio.feature_cache import prepared_features
from emokit.audio.settings import AudioSettings, FeatureSettings
from emokit.audio.spectrogram.normalise import statistics_of
from emokit.audio.spectrogram.speeds import log_mels
from emokit.data.prepared import Prepared
from emokit.data.utterance import HELD_OUT
from emokit.errors import UsageError
from emokit.labels import LabelSet
from emokit.modality.protocol import Progress
from emokit.training.splits import check_splits, rows_of_corpora, target_shares

MEDIUM = "audio"
WITHOUT_BATCHES = ("functionals", "probe")


@dataclass(frozen=True)
class SplitData:
    """One split: its rows, and their features in the same order."""

    table: pandas.DataFrame
    log_mels: list[numpy.ndarray]
    """Per utterance (frames, mels) float16 decibels, memory-mapped."""
    statistics: numpy.ndarray | None
    """(utterances, 2, mels) mean and deviation for standardising; None where the training split's are used."""
    labels: LabelSet
    soft_labels: bool = True
    """Whether utterances with a soft label are trained on with it."""

    @property
    def targets(self) -> numpy.ndarray:
        """(utterances,) int64."""
        return self.labels.targets(self.table["label"])

    @property
    def shares(self) -> numpy.ndarray:
        """(utterances, classes) float32 share of each class in each utterance's target."""
        return target_shares(self.table, self.labels, soft=self.soft_labels)


def rows_with_audio(settings: AudioSettings, prepared: Prepared) -> pandas.DataFrame:
    """The utterances with audio of the corpora that the settings name.

    Raises:
        UsageError: a corpus is not in the prepared folder.
    """
    table = prepared.table[prepared.table["path"].notna()]
    if settings.data.corpora is None:
        return table.reset_index(drop=True)
    return rows_of_corpora(table, settings.data.corpora, prepared.folder, MEDIUM)


def read_splits(
    settings: AudioSettings,
    prepared: Prepared,
    held_out: tuple[str, ...] = HELD_OUT,
    progress: Progress | None = None,
) -> dict[str, SplitData]:
    """The training split and the held-out ones; features that the folder lacks are computed.

    Raises:
        UsageError: a corpus is not in the prepared folder, or training has fewer utterances than a batch.
        DataError: a split has no utterance, training lacks a class, or features cannot be computed.
    """
    tables = split_tables(settings, prepared, held_out)
    every = pandas.concat(tables.values(), ignore_index=True)
    store = log_mels(prepared, features_of(settings, prepared), every, progress=progress)
    splits = {}
    for split, rows in tables.items():
        of_split = [store[utterance_id] for utterance_id in rows["utterance_id"]]
        splits[split] = SplitData(
            rows, of_split, statistics_of(settings.data, rows, of_split), prepared.labels, settings.data.soft_labels
        )
    return splits


def split_tables(
    settings: AudioSettings, prepared: Prepared, held_out: tuple[str, ...] = HELD_OUT
) -> dict[str, pandas.DataFrame]:
    """The rows of the training split and of the held-out ones; raises as `read_splits` does."""
    table = rows_with_audio(settings, prepared)
    names = ("train", *held_out)
    check_splits(table, names, prepared.labels, prepared.folder, MEDIUM)
    tables = {split: table[table["split"] == split].reset_index(drop=True) for split in names}
    size, batch_size = len(tables["train"]), settings.training.batch_size
    if settings.model.kind not in WITHOUT_BATCHES and size < batch_size:
        raise UsageError(
            f"training.batch_size is {batch_size} and the train split has {size} utterances; lower it with --batch-size."
        )
    return tables


def features_of(settings: AudioSettings, prepared: Prepared) -> FeatureSettings:
    """The settings of the log-mels; beside a pretrained encoder, the baseline uses those that the folder has."""
    return settings.features if settings.model.name is None else prepared_features(prepared)
