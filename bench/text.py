"""What length buckets are worth: training and prediction with padding to 128, to the longest of a batch, and in buckets.

    make bench PART=text

Same rows, same model (six layers of 384 numbers, drawn at random: speed does not depend on what the weights say), same loop,
one run, one thread. Comments are GoEmotions' where EMOKIT_CORPORA is set, else synthesised.
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
from emokit.labels import NUM_LABELS
from emokit.runtime import seed_everything
from emokit.text.batches import TextBatches
from emokit.text.features import Tokens, collate, tokenise
from emokit.text.model import learn_tokenizer
from emokit.text.passages import Passage
from emokit.text.predict import Encoder, logits_of
from emokit.text.settings import TextTrainingSettings, TinySettings
from emokit.training.hardware import new_accelerator
from emokit.training.loop import Batch, DevMetrics, fit

ROWS, BATCH, LENGTH = 960, 32, 128
SHAPE = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
RECIPE = TextTrainingSettings(max_epochs=1, batch_size=BATCH, max_tokens_per_batch=BATCH * LENGTH)
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
            yield {**batch, "targets": torch.eye(NUM_LABELS)[torch.from_numpy(self.targets[rows])]}


def main() -> None:
    """Measure and show."""
    torch.set_num_threads(1)
    texts = comments()
    tokenizer = learn_tokenizer(texts[: 20 * ROWS], TinySettings(vocab_size=8000), LENGTH)
    tokens = tokenise([Passage(text) for text in texts[:ROWS]], tokenizer)
    targets = numpy.random.default_rng(1).integers(0, NUM_LABELS, ROWS)
    padded, dynamic = (InOrder(tokens, targets, tokenizer, length) for length in (LENGTH, None))
    buckets = TextBatches(
        tokens.rows, targets, tokenizer, batch_size=BATCH, max_tokens_per_batch=BATCH * LENGTH, seed=0
    )
    ways: dict[str, Batches] = {f"padded to {LENGTH}": padded, "to the longest": dynamic, "in buckets": buckets}

    print(f"{ROWS} comments of {tokens.lengths.mean():.1f} tokens on average, batches of {BATCH}")
    print("batches", "training, sentences/s", "times", "prediction, sentences/s", "times", "padding", sep="\t")
    rates: list[tuple[float, float]] = []
    for name, batches in ways.items():
        slots = sum(batch["input_ids"].numel() for batch in batches(1))
        rates.append((ROWS / train_seconds(batches, tokenizer), ROWS / predict_seconds(batches, tokens, tokenizer)))
        (train, predict), (train_first, predict_first) = rates[-1], rates[0]
        row = (f"{train:.1f}", f"{train / train_first:.1f}", f"{predict:.1f}", f"{predict / predict_first:.1f}")
        print(name, *row, f"{1 - tokens.lengths.sum() / slots:.1%}", sep="\t")
    apart = max(
        abs(loss_of(model, a) - loss_of(model, b))
        for model in [new_model(tokenizer)]
        for a, b in zip(padded(1), dynamic(1), strict=True)
    )
    print(f"losses of the same batches, padded to {LENGTH} and to the longest, differ by at most {apart:.1e}")
    print(
        f"a single sentence takes {latency(Encoder(new_model(tokenizer), tokenizer), texts[:50]):.1f} ms (median of 50)"
    )


def comments() -> list[str]:
    """The texts of GoEmotions' training split in an order of their own."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(os.environ.get("EMOKIT_CORPORA", temporary)) / "goemotions"
        if not root.is_dir():
            write_corpus("goemotions", root)
        found = [row for row in goemotions.read(root, {}) if isinstance(row, Utterance) and row.split == "train"]
    return [found[row].text or "" for row in numpy.random.default_rng(0).permutation(len(found))]


def new_model(tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    """The model, with the same weights each time."""
    seed_everything(0)
    config = BertConfig(vocab_size=len(tokenizer), max_position_embeddings=LENGTH, num_labels=NUM_LABELS, **SHAPE)
    return AutoModelForSequenceClassification.from_config(config).eval()


def train_seconds(batches: Batches, tokenizer: PreTrainedTokenizerBase) -> float:
    """Seconds of the processor that an epoch takes emokit's own loop."""
    accelerator = new_accelerator("cpu", "auto")
    scores = DevMetrics(1.0, 0.5, 0.5, 0.5, NUM_LABELS)
    epochs = fit(new_model(tokenizer), batches, len(list(batches(1))), lambda _: scores, RECIPE, accelerator)
    start = time.process_time()
    next(iter(epochs))
    return time.process_time() - start


def predict_seconds(batches: Batches, tokens: Tokens, tokenizer: PreTrainedTokenizerBase) -> float:
    """Seconds of the processor that predicting all rows takes; in buckets as emokit does it, else batch by batch."""
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


def latency(encoder: Encoder, texts: list[str]) -> float:
    """Median milliseconds from a sentence to its probabilities."""
    found = []
    for text in texts:
        start = time.perf_counter()
        encoder.read([Passage(text)])
        found.append(1000 * (time.perf_counter() - start))
    return statistics.median(found)


if __name__ == "__main__":
    main()
