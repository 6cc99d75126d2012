"""Speed of training and prediction with texts padded to 128 tokens, padded to the longest of a batch, and in length buckets.

    make bench PART=text

Same rows, model (six layers of hidden size 384, random weights) and loop; one run, one thread. The comments are GoEmotions' if
EMOKIT_CORPORA is set, else synthesised.
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
from emokit.text.classifier import EncoderClassifier, logits_of
from torch.nn.functional import cross_entropy
from transformers import AutoModelForSequenceClassification, BertConfig, PreTrainedModel, PreTrainedTokenizerBase

from emokit.data.sources.corpora import goemotions
from emokit.data.synthesis.corpora import write_corpus
from emokit.data.utterance import Utterance
from emokit.runtime import seed_everything
from emokit.text.batches import TextBatches
from emokit.text.features import Tokens, collate, tokenize
from emokit.text.model import train_tokenizer
from emokit.text.passages import Passage
from emokit.text.settings import TextTrainingSettings, TinySettings
from emokit.training.hardware import new_accelerator
from emokit.training.loop import DevMetrics, fit
from emokit.training.objective import Batch

ROWS, BATCH, LENGTH, CLASSES = 960, 32, 128, 7
SHAPE = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
SETTINGS = TextTrainingSettings(max_epochs=1, batch_size=BATCH, max_tokens_per_batch=BATCH * LENGTH)
Batches = Callable[[int], Iterator[Batch]]


@dataclass(frozen=True)
class InOrder:
    """Batches in the order of the rows, padded to `length`, or to the longest row of each batch."""

    tokens: Tokens
    targets: numpy.ndarray
    tokenizer: PreTrainedTokenizerBase
    length: int | None

    def __call__(self, epoch: int) -> Iterator[Batch]:
        """The batches, the same in each epoch."""
        for first in range(0, len(self.tokens.rows), BATCH):
            rows = slice(first, first + BATCH)
            batch = collate(self.tokens.rows[rows], self.tokenizer, self.length)
            yield {**batch, "targets": torch.eye(CLASSES)[torch.from_numpy(self.targets[rows])]}


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    texts = comments()
    tokenizer = train_tokenizer(texts[: 20 * ROWS], TinySettings(vocab_size=8000), LENGTH)
    tokens = tokenize([Passage(text) for text in texts[:ROWS]], tokenizer)
    targets = numpy.random.default_rng(1).integers(0, CLASSES, ROWS)
    padded, dynamic = (InOrder(tokens, targets, tokenizer, length) for length in (LENGTH, None))
    buckets = TextBatches(
        tokens.rows,
        targets,
        tokenizer,
        num_classes=CLASSES,
        batch_size=BATCH,
        max_tokens_per_batch=BATCH * LENGTH,
        seed=0,
    )
    batchings: dict[str, Batches] = {f"padded to {LENGTH}": padded, "to the longest": dynamic, "in buckets": buckets}

    print(f"{ROWS} comments of {tokens.lengths.mean():.1f} tokens on average, batches of {BATCH}")
    print("batches", "training, sentences/s", "times", "prediction, sentences/s", "times", "padding", sep="\t")
    rates: list[tuple[float, float]] = []
    for name, batches in batchings.items():
        num_padded = sum(batch["input_ids"].numel() for batch in batches(1))
        rates.append((ROWS / train_seconds(batches, tokenizer), ROWS / predict_seconds(batches, tokens, tokenizer)))
        (train, predict), (train_padded, predict_padded) = rates[-1], rates[0]
        cells = (f"{train:.1f}", f"{train / train_padded:.1f}", f"{predict:.1f}", f"{predict / predict_padded:.1f}")
        print(name, *cells, f"{1 - tokens.lengths.sum() / num_padded:.1%}", sep="\t")
    difference = max(
        abs(loss_of(model, a) - loss_of(model, b))
        for model in [new_model(tokenizer)]
        for a, b in zip(padded(1), dynamic(1), strict=True)
    )
    print(f"losses of the same batches, padded to {LENGTH} and to the longest, differ by at most {difference:.1e}")
    classifier = EncoderClassifier(new_model(tokenizer), tokenizer)
    print(f"a single sentence takes {latency(classifier, texts[:50]):.1f} ms (median of 50)")


def comments() -> list[str]:
    """The texts of GoEmotions' training split, shuffled."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(os.environ.get("EMOKIT_CORPORA", temporary)) / "goemotions"
        if not root.is_dir():
            write_corpus("goemotions", root)
        entries = goemotions.read(root, {})
        texts = [entry.text or "" for entry in entries if isinstance(entry, Utterance) and entry.split == "train"]
    return [texts[row] for row in numpy.random.default_rng(0).permutation(len(texts))]


def new_model(tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    """The model, with the same weights each time."""
    seed_everything(0)
    config = BertConfig(vocab_size=len(tokenizer), max_position_embeddings=LENGTH, num_labels=CLASSES, **SHAPE)
    return AutoModelForSequenceClassification.from_config(config).eval()


def train_seconds(batches: Batches, tokenizer: PreTrainedTokenizerBase) -> float:
    """CPU seconds of an epoch of emokit's loop."""
    accelerator = new_accelerator("cpu", "auto")
    scores = DevMetrics(1.0, 0.5, 0.5, 0.5, CLASSES)
    epochs = fit(new_model(tokenizer), batches, len(list(batches(1))), lambda _: scores, SETTINGS, accelerator)
    start = time.process_time()
    next(iter(epochs))
    return time.process_time() - start


def predict_seconds(batches: Batches, tokens: Tokens, tokenizer: PreTrainedTokenizerBase) -> float:
    """CPU seconds of predicting all rows; length buckets as in emokit, else batch by batch."""
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
