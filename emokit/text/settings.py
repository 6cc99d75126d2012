"""What can be set of a text training, group by group; every field has a sentence and a unit."""

from typing import Literal, Self

from pydantic import Field, model_validator

from emokit.labels import LABELS
from emokit.settings import Settings
from emokit.training.settings import PublishedScore, TrainingSettings

CORPORA = ("goemotions", "meld")
"""The corpora whose words tell of the emotion; actors speak the same few sentences in every emotion."""


class DataSettings(Settings):
    """Which utterances of the prepared folder take part, and what is read with them."""

    corpora: tuple[str, ...] | None = None
    """The corpora to use; null uses goemotions and meld, as far as they are there."""
    context_turns: int = Field(0, ge=0, le=32)
    """How many turns of the dialogue before an utterance are read with it, speakers named; 0 reads it alone and unnamed."""


class FeatureSettings(Settings):
    """How text becomes tokens."""

    max_length: int = Field(128, ge=8, le=8192)
    """The most tokens that are read of an utterance, in tokens; the rest of a longer one is cut off."""


class TinySettings(Settings):
    """A small BERT that is trained from nothing, with a vocabulary of the training texts' own."""

    vocab_size: int = Field(4000, ge=300)
    """The most word pieces that the tokenizer learns."""
    hidden_size: int = Field(96, ge=8)
    """Numbers per token."""
    num_hidden_layers: int = Field(2, ge=1, le=12)
    """Transformer layers."""
    num_attention_heads: int = Field(4, ge=1)
    """Attention heads; must divide the hidden size."""

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(f"must have num_attention_heads that divide hidden_size ({self.hidden_size})")
        return self


class ModelSettings(Settings):
    """What reads the text."""

    kind: Literal["pretrained", "tiny", "tfidf", "zero_shot"] = "pretrained"
    """A pretrained encoder that is fine-tuned, a small one from nothing, a bag of words, or a classifier scored as it is."""
    name: str = "FacebookAI/roberta-base"
    """Of a pretrained model or classifier: its folder, or its name on the Hugging Face hub."""
    revision: str | None = None
    """The commit of the hub's model, so that a run can be made again; null takes the newest."""
    labels: dict[str, str | None] = Field({})
    """Of a classifier scored as it is: its own label -> one of the seven, or null for one that is none of them."""
    tiny: TinySettings = TinySettings()
    """The shape of a `tiny` model."""

    @model_validator(mode="after")
    def _labels_are_known(self) -> Self:
        for own, label in self.labels.items():
            if label is not None and label not in LABELS:
                raise ValueError(f"must map its label {own} to one of {', '.join(LABELS)} or null, not to {label}")
        if self.kind == "zero_shot" and not any(self.labels.values()):
            raise ValueError("must have labels that map the classifier's own labels onto the seven")
        return self


class TextTrainingSettings(TrainingSettings):
    """The recipe of any training, with what suits fine-tuning, and what only text takes."""

    max_epochs: int = Field(4, ge=1)
    """The most epochs to train for."""
    max_tokens_per_batch: int = Field(4096, ge=32)
    """The most tokens in a batch, padding included; texts of like length share a batch, at most `batch_size` of them."""
    lr: float = Field(2e-5, gt=0, le=1)
    """The highest learning rate of AdamW."""
    layer_decay: float = Field(1.0, gt=0, le=1)
    """Factor on the learning rate from each layer to the one below it; 1 gives all layers the same."""
    schedule: Literal["cosine", "linear", "plateau", "constant"] = "linear"
    """How the learning rate falls: along a cosine or a line to zero, halved when dev loss stalls, or not at all."""
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """Share of each target that is spread over all classes."""
    class_balancing: Literal["none", "inverse", "effective", "sampler"] = "none"
    """How classes are balanced: not; by weights in the loss inverse to their frequency, or to their effective number, both with
    mean 1; or by drawing each class equally often."""
    patience: int | None = Field(3, ge=1)
    """Epochs without a higher dev UAR before training stops early; null trains to the end."""
    gradient_checkpointing: bool = False
    """Compute activations anew in the backward pass: less memory for a third more time."""


class TextSettings(Settings):
    """Everything of one text training."""

    name: str = Field("text", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    """What the experiment is called in reports."""
    modality: Literal["text"] = "text"
    """The modality that the settings are for."""
    published: PublishedScore = PublishedScore()
    """What somebody else reported for this experiment; shown beside what is measured, never tuned to."""
    data: DataSettings = DataSettings()
    features: FeatureSettings = FeatureSettings()
    model: ModelSettings = ModelSettings()
    training: TextTrainingSettings = TextTrainingSettings()

    @model_validator(mode="after")
    def _batches_hold_a_text(self) -> Self:
        longest, recipe = self.features.max_length, self.training
        if recipe.max_tokens_per_batch < longest:
            raise ValueError(f"training.max_tokens_per_batch must be at least features.max_length ({longest})")
        # Drawn rows have other lengths in each epoch; only batches that are full by count are then equally many.
        if recipe.class_balancing == "sampler" and recipe.max_tokens_per_batch < longest * recipe.batch_size:
            raise ValueError(
                "training.class_balancing = sampler needs training.max_tokens_per_batch of at least "
                f"features.max_length x training.batch_size ({longest * recipe.batch_size})"
            )
        return self
