"""The layers of a frozen text encoder, averaged over tokens, stored beside the prepared folder: computed once for all trainings.

The store's name has the hash of the encoder's weights and the layers; an entry belongs to the hash of its tokens, so that equal
texts share one, and a text with another context, tokenizer or longest length has another.
"""

import hashlib
from collections.abc import Sequence

import numpy
import torch
from transformers import PreTrainedTokenizerBase

from emokit.data.audio_io.reading import Reading
from emokit.data.prepared import FEATURES, Prepared
from emokit.data.store import write_shard
from emokit.files import explained_disk_errors
from emokit.locks import awaited
from emokit.modality.protocol import Progress
from emokit.text.classifier import batched
from emokit.text.features import Row, Tokens
from emokit.text.probe.model import ProbeForTextClassification
from emokit.training.encoder_hash import encoder_hash, used_config

VERSION = 1  # of the computation: it is raised whenever the values change
UNUSED_WEIGHTS = ("pooler.",)  # above the last layer; random where a checkpoint lacks it
SHARD_TEXTS = 4096  # the most that an interruption loses


def layers_of(
    model: ProbeForTextClassification,
    rows: Sequence[Row],
    tokenizer: PreTrainedTokenizerBase,
    prepared: Prepared,
    progress: Progress | None = None,
) -> numpy.ndarray:
    """The vector of each text: the mean over its tokens of each layer that the probe takes.

    Args:
        model: the probe, whose encoder is not trained.
        rows: tokenized texts.
        tokenizer: pads them.
        prepared: the data.
        progress: called with (texts computed, texts to compute).

    Returns:
        (texts, layers x hidden size) float32, of the precision of float16.
    """
    keys = [_key_of(row) for row in rows]
    name = f"text-layers-{key(model)}"
    folder = prepared.folder / FEATURES / name
    with explained_disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    if any(entry not in prepared.store(name) for entry in keys):
        # Folds, a sweep's trials or two commands may need the same layers: one computes them, the others wait.
        with awaited(folder), explained_disk_errors(folder):
            store = prepared.store(name)
            missing = {entry: row for entry, row in zip(keys, rows, strict=True) if entry not in store}
            entries, done = list(missing.items()), 0
            while chunk := entries[done : done + SHARD_TEXTS]:
                tokens = Tokens([row for _, row in chunk], numpy.zeros(len(chunk), bool))
                vectors = batched(model, tokens, tokenizer, lambda batch: list(_pooled(model, batch)))
                write_shard(
                    folder,
                    [
                        Reading(entry, 0, 0, recording=entry, log_mel=values)
                        for (entry, _), values in zip(chunk, vectors, strict=True)
                    ],
                )
                done += len(chunk)
                if progress:
                    progress(done, len(entries))
    store = prepared.store(name)
    return numpy.stack([store[entry].ravel() for entry in keys]).astype(numpy.float32)


def key(model: ProbeForTextClassification) -> str:
    """Identifies the encoder by its weights, not by its name or folder, and the layers."""
    about = [VERSION, used_config(model.config.encoder), model.chosen]
    return encoder_hash(about, model.encoder.state_dict(), UNUSED_WEIGHTS)


def _pooled(model: ProbeForTextClassification, batch: dict[str, torch.Tensor]) -> numpy.ndarray:
    """(texts, layers, dim) float16 of a batch."""
    pooled: numpy.ndarray = model.pooled(**batch).cpu().numpy().astype(numpy.float16)
    return pooled


def _key_of(row: Row) -> str:
    digest = hashlib.sha256()
    for name in sorted(row):
        digest.update(f"{name} {len(row[name])}".encode() + numpy.array(row[name], numpy.int64).tobytes())
    return digest.hexdigest()[:32]
