"""Fitting a probe: the layers of the encoder are computed once, and the regression is fitted in seconds."""

from collections.abc import Mapping

import numpy
import pandas
import torch
from transformers import PreTrainedTokenizerBase

from emokit.data.prepared import Prepared
from emokit.labels import LabelSet
from emokit.modality.protocol import Progress
from emokit.runtime import choose_device
from emokit.text.features import tokenize
from emokit.text.model import pretrained
from emokit.text.passages import passages_of
from emokit.text.probe.layer_cache import layers_of
from emokit.text.probe.model import ProbeForTextClassification, new_probe
from emokit.text.settings import TextSettings
from emokit.text.splits import SplitData
from emokit.training.linear.fit import fit_on_dev, predict
from emokit.training.linear.vectors import Vectors

STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0)


def initial_probe(
    settings: TextSettings, labels: LabelSet
) -> tuple[ProbeForTextClassification, PreTrainedTokenizerBase]:
    """The probe that the settings name, unfitted, and the tokenizer of its encoder; raises as `pretrained` and `new_probe`."""
    model, tokenizer = pretrained(settings, labels)
    return new_probe(model.base_model, settings.model, labels), tokenizer


def compute_layers(
    settings: TextSettings, prepared: Prepared, rows: pandas.DataFrame, progress: Progress | None = None
) -> None:
    """Compute and store the layers of those of the rows that have a text."""
    model, tokenizer = initial_probe(settings, prepared.labels)
    passages = passages_of(rows[rows["text"].notna()], prepared.table, settings.data.context_turns)
    layers_of(model.to(choose_device("auto")), tokenize(passages, tokenizer).rows, tokenizer, prepared, progress)


def fit(
    model: ProbeForTextClassification,
    tokenizer: PreTrainedTokenizerBase,
    prepared: Prepared,
    splits: Mapping[str, SplitData],
    device: torch.device,
    progress: Progress | None = None,
) -> dict[str, numpy.ndarray]:
    """Fit on train, with the strength that has the highest macro F1 on dev, as the bag of words is chosen.

    Args:
        model: fitted in place; it is on the CPU afterwards.
        tokenizer: of its encoder.
        prepared: the data, beside which the layers are stored.
        splits: `train` and `dev` at least.
        device: where the encoder computes; the regression is fitted on the CPU.
        progress: called with (texts computed, texts to compute).

    Returns:
        split -> (utterances, classes) float64 probabilities of all but train.
    """
    rows = {split: tokenize(data.passages, tokenizer).rows for split, data in splits.items()}
    every = [row for of_split in rows.values() for row in of_split]
    values = layers_of(model.to(device), every, tokenizer, prepared, progress)
    model.cpu()
    ends = numpy.cumsum([len(of_split) for of_split in rows.values()])
    vectors = {
        split: Vectors(numpy.arange(len(of_split)), of_split)
        for split, of_split in zip(rows, numpy.split(values, ends[:-1]), strict=True)
    }
    train, dev = splits["train"], splits["dev"]
    fit_on_dev(
        model,
        vectors["train"],
        train.shares,
        vectors["dev"],
        dev.targets,
        STRENGTHS,
        metric="macro_f1",
        class_weights="square_root",
    )
    return {split: predict(model, vectors[split], len(rows[split])) for split in rows if split != "train"}
