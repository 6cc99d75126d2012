"""From sentences or a prepared split to probabilities; batched by length, given back in the order of the input."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy
import pandas
import torch
from scipy.special import softmax
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emokit import predictions, runs
from emokit.data.prepared import Prepared, open_prepared
from emokit.data.utterance import SPLITS
from emokit.errors import DataError, UsageError
from emokit.text import bag_of_words
from emokit.text.features import Tokens, collate, tokenise
from emokit.text.model import read_tokenizer, read_weights
from emokit.text.passages import Passage, check_texts, passages_of
from emokit.text.settings import CORPORA, TextSettings
from emokit.text.zero_shot import LabelMap, label_map
from emokit.training.batches import cut

BATCH_TOKENS = 8192
BATCH_TEXTS = 256
CHUNK = 4096  # sentences of an input that are sorted by length together


@dataclass(frozen=True)
class Found:
    """What a model says of some passages."""

    probabilities: numpy.ndarray
    """(passages, classes) float64; each row sums to one."""
    is_cut: numpy.ndarray
    """(passages,) whether it was longer than the model reads."""


class Classifier(Protocol):
    """What is loaded from a run of text, whatever kind of model it has."""

    def read(self, passages: Sequence[Passage]) -> Found:
        """Seven probabilities for each passage, in the order given."""


@dataclass(frozen=True)
class Bag:
    """A bag of words; it reads an utterance by itself, whatever was said before."""

    model: bag_of_words.BagOfWords

    def read(self, passages: Sequence[Passage]) -> Found:
        """Seven probabilities for each passage, in the order given."""
        probabilities = self.model.probabilities([passage.text for passage in passages])
        return Found(probabilities, numpy.zeros(len(passages), dtype=bool))


@dataclass(frozen=True)
class Encoder:
    """A `transformers` model and its tokenizer."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    labels: LabelMap | None = None
    """What becomes of the model's own labels, where they are not the seven."""

    def read(self, passages: Sequence[Passage]) -> Found:
        """Seven probabilities for each passage, in the order given."""
        tokens = tokenise(passages, self.tokenizer)
        logits = logits_of(self.model, tokens, self.tokenizer)
        return Found(self.labels.probabilities(logits) if self.labels else softmax(logits, axis=1), tokens.is_cut)


def logits_of(model: torch.nn.Module, tokens: Tokens, tokenizer: PreTrainedTokenizerBase) -> numpy.ndarray:
    """(passages, the model's labels) float64 logits, in the order of the tokens.

    Sorted by length, and by the tokens themselves where lengths are equal: the same passages then share a batch whatever
    order they came in, so that shuffling changes no digit.
    """
    lengths = tokens.lengths
    order = numpy.array(sorted(range(len(lengths)), key=lambda row: (lengths[row], tokens.rows[row]["input_ids"])), int)
    device = next(model.parameters()).device
    found = []
    with torch.inference_mode():
        for part in cut(lengths[order], BATCH_TEXTS, BATCH_TOKENS):
            batch = collate([tokens.rows[row] for row in order[part]], tokenizer)
            found.append(model(**{name: values.to(device) for name, values in batch.items()}).logits.cpu().double())
    if not found:
        raise DataError("There is no text to predict; name at least one.")
    return torch.cat(found).numpy()[numpy.argsort(order)]


def load_classifier(run: Path, device: torch.device, *, trust_remote_code: bool = False) -> Classifier:
    """The best epoch's model of a complete run.

    Raises:
        DataError: the run is not complete or its model is damaged.
    """
    runs.check_complete(run)
    return read_classifier(run, device, trust_remote_code=trust_remote_code)


def read_classifier(run: Path, device: torch.device, *, trust_remote_code: bool = False) -> Classifier:
    """The model that lies in a run folder.

    Raises:
        DataError: it is damaged.
    """
    of = TextSettings.make(runs.read_settings(run), str(run / runs.SETTINGS)).model
    folder = run / runs.MODEL
    if of.kind == "tfidf":
        return Bag(bag_of_words.read(folder))
    own = of.model_copy(update={"name": str(folder)})
    tokenizer = read_tokenizer(folder, own, trust_remote_code=trust_remote_code)
    model, missing = read_weights(folder, own, trust_remote_code=trust_remote_code)
    if missing:
        raise DataError(f"{folder} holds no whole model ({missing[0]} is missing); train the run again with --force.")
    model = model.to(device).eval()
    return Encoder(model, tokenizer, label_map(model.config, of.labels, of.name) if of.kind == "zero_shot" else None)


def predict_texts(
    classifier: Classifier, texts: Iterable[tuple[str, str]]
) -> Iterator[tuple[str, str, numpy.ndarray, bool]]:
    """Sentences in their order: each with its name, its probabilities (classes,) and whether it was cut.

    Args:
        classifier: of a run.
        texts: (name, text); the name stands in errors.

    Raises:
        DataError: a text is empty or no text.
    """
    waiting = iter(texts)
    while chunk := list(itertools.islice(waiting, CHUNK)):
        names, sentences = zip(*chunk, strict=True)
        check_texts(sentences, names)
        found = classifier.read([Passage(sentence) for sentence in sentences])
        for row, (name, sentence) in enumerate(chunk):
            yield name, sentence, found.probabilities[row], bool(found.is_cut[row])


def predict_split(
    classifier: Classifier, run: Path, data: Path, split: str, out: Path, device: torch.device | None = None
) -> int:
    """Write the predictions of a prepared split as parquet; returns how many utterances they are of.

    `device` is taken so that runs of sound and of text are asked alike; the classifier is where it was loaded to.

    Raises:
        UsageError: the split is unknown.
        DataError: the prepared folder is not complete, or has no utterance of the split.
    """
    if split not in SPLITS:
        raise UsageError(f"--split {split} is unknown; choose one of {', '.join(SPLITS)}.")
    prepared = open_prepared(data)
    settings = TextSettings.make(runs.read_settings(run), str(run / runs.SETTINGS))
    rows = rows_of(prepared, settings)
    rows = rows[rows["split"] == split].reset_index(drop=True)
    if rows.empty:
        raise DataError(f"{data} has no {split} utterances of the run's corpora; choose another --split.")
    passages = passages_of(rows, prepared.table, settings.data.context_turns)
    found = predictions.make(
        rows, classifier.read(passages).probabilities, model=settings.name, fingerprint=prepared.fingerprint
    )
    predictions.write(found, out)
    return len(rows)


def rows_of(prepared: Prepared, settings: TextSettings) -> pandas.DataFrame:
    """The utterances with text of the corpora that the settings name, whether they have sound or not.

    Raises:
        UsageError: a corpus is not in the prepared folder, or none that has words.
        DataError: a text is empty or no text.
    """
    table = prepared.table[prepared.table["text"].notna()]
    there = sorted(table["corpus"].unique())
    corpora = settings.data.corpora or tuple(corpus for corpus in CORPORA if corpus in there)
    if not corpora:
        raise UsageError(
            f"{prepared.folder} has neither {' nor '.join(CORPORA)}; prepare one of them, or name others with "
            "--set data.corpora=[…]."
        )
    for corpus in corpora:
        if corpus not in there:
            raise UsageError(
                f"data.corpora names {corpus} and {prepared.folder} has text of {', '.join(there) or 'none'}; prepare it too."
            )
    table = table[table["corpus"].isin(corpora)].reset_index(drop=True)
    check_texts(table["text"].tolist(), (f"{prepared.folder}: {name}" for name in table["utterance_id"]))
    return table
