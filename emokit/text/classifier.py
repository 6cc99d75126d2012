"""Classifiers of text: passages in, probabilities out; batched by length, returned in the order of the input."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch
from scipy.special import softmax
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emokit import runs
from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet
from emokit.text.classified import Classified, in_batches
from emokit.text.features import Row, Tokens, collate, tokenize
from emokit.text.model import TOKENIZER, load_tokenizer, load_weights, tiny_shape
from emokit.text.passages import Passage
from emokit.text.probe.model import ProbeForTextClassification, load_probe
from emokit.text.settings import TextSettings
from emokit.text.zero_shot import LabelMap, label_map
from emokit.training.model_checks import check_agrees, check_config, check_labels


@dataclass(frozen=True)
class EncoderClassifier:
    """A `transformers` model and its tokenizer."""

    model: PreTrainedModel
    """A classifier of transformers, or a probe."""
    tokenizer: PreTrainedTokenizerBase
    label_map: LabelMap | None = None
    """From the model's labels to those of the data, where they differ."""

    def predict(self, passages: Sequence[Passage]) -> Classified:
        """The probabilities of passages, in their order."""
        tokens = tokenize(passages, self.tokenizer)
        logits = logits_of(self.model, tokens, self.tokenizer)
        probabilities = self.label_map.probabilities(logits) if self.label_map else softmax(logits, axis=1)
        return Classified(probabilities, tokens.is_cut)

    def embed(self, passages: Sequence[Passage], steps: int) -> list[numpy.ndarray]:
        """As `Classifier.embed`: the first token where the tokenizer begins with one for the whole text, else, and of a
        probe, the mean of all tokens.

        With more steps, all tokens of the last layer, averaged over as many stretches of nearly equal length.
        """
        tokens = tokenize(passages, self.tokenizer)
        encoder, first = self.model.base_model, self.tokenizer.cls_token_id
        has_first = first is not None and not isinstance(self.model, ProbeForTextClassification)
        has_first = has_first and all(row["input_ids"][0] == first for row in tokens.rows)

        def vectors(batch: dict[str, torch.Tensor]) -> list[numpy.ndarray]:
            states = encoder(**batch).last_hidden_state.float().cpu().numpy()
            masks = batch["attention_mask"].bool().cpu().numpy()
            if has_first and steps == 1:
                return [rows[:1] for rows in states]
            return [pooled(rows[mask], steps) for rows, mask in zip(states, masks, strict=True)]

        return batched(self.model, tokens, self.tokenizer, vectors)


def pooled(states: numpy.ndarray, steps: int) -> numpy.ndarray:
    """(tokens, dim) -> (steps, dim): the means of at most `steps` stretches of nearly equal length."""
    stretches = numpy.array_split(states, min(steps, len(states)))
    return numpy.stack([stretch.mean(axis=0) for stretch in stretches])


def logits_of(model: torch.nn.Module, tokens: Tokens, tokenizer: PreTrainedTokenizerBase) -> numpy.ndarray:
    """(passages, the model's labels) float64 logits, in the order of the tokens.

    Raises:
        DataError: there is no passage.
    """

    def logits(batch: dict[str, torch.Tensor]) -> list[numpy.ndarray]:
        return list(model(**batch).logits.cpu().double().numpy())

    return numpy.stack(batched(model, tokens, tokenizer, logits))


def batched(
    model: torch.nn.Module,
    tokens: Tokens,
    tokenizer: PreTrainedTokenizerBase,
    compute: Callable[[dict[str, torch.Tensor]], list[numpy.ndarray]],
) -> list[numpy.ndarray]:
    """What `compute` returns for the passages of a batch, for all passages, in the order of the tokens; as `in_batches`."""
    device = next(model.parameters()).device

    def of_rows(rows: list[Row]) -> list[numpy.ndarray]:
        return compute({name: values.to(device) for name, values in collate(rows, tokenizer).items()})

    with torch.inference_mode():
        return in_batches(tokens, of_rows)


def load_classifier(
    run: Path, settings: TextSettings, labels: LabelSet, device: torch.device, *, trust_remote_code: bool = False
) -> EncoderClassifier:
    """Load the encoder of a run.

    Args:
        run: the run folder.
        settings: of the run.
        labels: the run's label set.
        device: where to compute.
        trust_remote_code: allow code that comes with the model.

    Raises:
        UsageError: the model needs remote code that was not allowed.
        DataError: the model is damaged.
    """
    folder = runs.model_folder(run)
    kind = settings.model.kind
    in_folder = settings.model.model_copy(update={"name": str(folder)})
    tokenizer = load_tokenizer(folder, in_folder, trust_remote_code=trust_remote_code)
    model: PreTrainedModel
    if kind == "probe":
        model = load_probe(folder)
    else:
        model, _ = load_weights(folder, in_folder, trust_remote_code=trust_remote_code, of_run=True)
    max_length = {"model_max_length": settings.features.max_length}
    check_agrees(folder / TOKENIZER, {"model_max_length": tokenizer.model_max_length}, max_length)
    if kind == "tiny":
        check_config(model.config, tiny_shape(settings), folder)
    mapping = None
    if kind == "zero_shot":  # its labels are the classifier's own
        try:
            mapping = label_map(model.config, settings.model.labels, settings.model.name, labels)
        except UsageError as error:  # of the settings that the run was made with, which somebody changed since
            raise DataError(f"{run} does not fit its classifier: {error}") from error
    else:
        check_labels(model.config, labels, folder)
    return EncoderClassifier(model.to(device).eval(), tokenizer, mapping)
