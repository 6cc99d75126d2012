"""Speed of length buckets: training and prediction with padding to 128, to the longest of a batch, and in buckets.

    make bench PART=text

Same rows, same model (six layers of hidden size 384 with random weights, which do not change the speed), same loop, one process,
one thread. Comments are GoEmotions' if EMOKIT_CORPORA is set, else synthesised.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch
from torch.nn.functional import cross_entropy
from transformers import AutoModelForSequenceClassification, BertConfig, PreTrainedModel, PreTrainedTokenizerBase

from emokit.data.sources.corpora import goemotions
from emokit.data.synthesis.corpora import write_corpus
from emokit.data.utterance import Utterance
from emokit.runtime import seed_everything
from emokit.text.batches import TextBatches
from emokit.text.classifier import EncoderClassifier, logits_of
from emokit.text.features import Tokens, collate, tokenize
from emokit.text.model import train_tokenizer
from emokit.text.passages import Passage
from emokit.text.settings import TextTrainingSettings, TinySettings
from emokit.training.batches import one_hot
from emokit.training.hardware import new_accelerator
from emokit.training.loop import DevMetrics, fit
from emokit.training.objective import Batch

ROWS, BATCH, LENGTH, NUM_CLASSES = 960, 32, 128, 7
SHAPE = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
SETTINGS = TextTrainingSettings(max_epochs=1, batch_size=BATCH, max_tokens_per_batch=BATCH * LENGTH)
Batches = Callable[[int], Iterator[Batch]]


@dataclass(frozen=True)
class InOrder:
    """Batches in the order of the rows, padded to `length`, or to the longest of each."""

    tokens: Tokens
    targets: numpy.ndarray
    tokenizer: PreTrainedTokenizerBase
    length: int | None

    def __call__(self, epoch: int) -> Iterator[Batch]:
        """The batches of any epoch."""
        for first in range(0, len(self.tokens.rows), BATCH):
            rows = slice(first, first + BATCH)
            batch = collate(self.tokens.rows[rows], self.tokenizer, self.length)
            yield {**batch, "targets": torch.from_numpy(one_hot(self.targets[rows], NUM_CLASSES))}


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    texts = comments()
    tokenizer = train_tokenizer(texts[: 20 * ROWS], TinySettings(vocab_size=8000), LENGTH)
    tokens = tokenize([Passage(text) for text in texts[:ROWS]], tokenizer)
    targets = numpy.random.default_rng(1).integers(0, NUM_CLASSES, ROWS)
    padded, dynamic = (InOrder(tokens, targets, tokenizer, length) for length in (LENGTH, None))
    buckets = TextBatches(
        tokens.rows,
        one_hot(targets, NUM_CLASSES),
        tokenizer,
        batch_size=BATCH,
        max_tokens_per_batch=BATCH * LENGTH,
        seed=0,
    )
    variants: dict[str, Batches] = {f"padded to {LENGTH}": padded, "to the longest": dynamic, "in buckets": buckets}

    print(f"{ROWS} comments of {tokens.lengths.mean():.1f} tokens on average, batches of {BATCH}")
    print("batches", "training, sentences/s", "times", "prediction, sentences/s", "times", "padding", sep="\t")
    rates: list[tuple[float, float]] = []
    for name, batches in variants.items():
        num_tokens = sum(batch["input_ids"].numel() for batch in batches(1))
        rates.append((ROWS / train_seconds(batches, tokenizer), ROWS / predict_seconds(batches, tokens, tokenizer)))
        (train, predict), (train_first, predict_first) = rates[-1], rates[0]
        row = (f"{train:.1f}", f"{train / train_first:.1f}", f"{predict:.1f}", f"{predict / predict_first:.1f}")
        print(name, *row, f"{1 - tokens.lengths.sum() / num_tokens:.1%}", sep="\t")
    difference = max(
        abs(loss_of(model, a) - loss_of(model, b))
        for model in [new_model(tokenizer)]
        for a, b in zip(padded(1), dynamic(1), strict=True)
    )
    print(f"losses of the same batches, padded to {LENGTH} and to the longest, differ by at most {difference:.1e}")
    milliseconds = latency(EncoderClassifier(new_model(tokenizer), tokenizer), texts[:50])
    print(f"a single sentence takes {milliseconds:.1f} ms (median of 50)")


def comments() -> list[str]:
    """The texts of GoEmotions' training split in random order."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(os.environ.get("EMOKIT_CORPORA", temporary)) / "goemotions"
        if not root.is_dir():
            write_corpus("goemotions", root)
        rows = [row for row in goemotions.read(root, {}) if isinstance(row, Utterance) and row.split == "train"]
    return [rows[row].text or "" for row in numpy.random.default_rng(0).permutation(len(rows))]


def new_model(tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    """The model, with the same weights each time."""
    seed_everything(0)
    config = BertConfig(vocab_size=len(tokenizer), max_position_embeddings=LENGTH, num_labels=NUM_CLASSES, **SHAPE)
    return AutoModelForSequenceClassification.from_config(config).eval()


def train_seconds(batches: Batches, tokenizer: PreTrainedTokenizerBase) -> float:
    """Processor seconds of an epoch in emokit's loop."""
    accelerator = new_accelerator("cpu", "auto")
    scores = DevMetrics(1.0, 0.5, 0.5, 0.5, NUM_CLASSES)
    epochs = fit(new_model(tokenizer), batches, len(list(batches(1))), lambda _: scores, SETTINGS, accelerator)
    start = time.process_time()
    next(iter(epochs))
    return time.process_time() - start


def predict_seconds(batches: Batches, tokens: Tokens, tokenizer: PreTrainedTokenizerBase) -> float:
    """Processor seconds of predicting all rows: in buckets as emokit does it, else batch by batch."""
    model = new_model(tokenizer)
    start = time.process_time()
    if isinstance(batches, TextBatches):
        logits_of(model, tokens, tokenizer)
    else:
        with torch.inference_mode():
            for batch in batches(1):
                batch.pop("targets")
                model(**batch)
    return time.process_time() - start


def loss_of(model: PreTrainedModel, batch: Batch) -> float:
    """The loss of a batch in float32, without dropout."""
    targets = batch.pop("targets")
    with torch.inference_mode():
        return float(cross_entropy(model(**batch).logits, targets))


def latency(classifier: EncoderClassifier, texts: list[str]) -> float:
    """Median milliseconds from a sentence to its probabilities."""
    milliseconds = []
    for text in texts:
        start = time.perf_counter()
        classifier.predict([Passage(text)])
        milliseconds.append(1000 * (time.perf_counter() - start))
    return statistics.median(milliseconds)


if __name__ == "__main__":
    main()
