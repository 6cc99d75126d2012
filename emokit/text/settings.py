"""Settings of a text training; every field has a sentence and a unit."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from emokit.settings import Name, Settings
from emokit.training.settings import LARGEST_LAYER, MOST_EPOCHS, PublishedScore, TrainingSettings


class DataSettings(Settings):
    """The utterances of the prepared folder that are used, and their context."""

    corpora: tuple[str, ...] | None = Field(None, min_length=1)
    """Corpora to use; null uses those with texts of their own: not acted corpora, which repeat a few sentences."""
    soft_labels: bool = True
    """Whether training takes the annotators' shares of the labels as targets, where the prepared folder has them."""
    context_turns: int = Field(0, ge=0, le=32)
    """Preceding turns of the dialogue in the input, with speaker names; 0 is the utterance alone, without its speaker."""


class FeatureSettings(Settings):
    """Tokenization."""

    max_length: int = Field(128, ge=8, le=8192)
    """Longest input, in tokens; longer texts are truncated."""


class TinySettings(Settings):
    """A small BERT with random weights and a tokenizer trained on the training texts."""

    vocab_size: int = Field(4000, ge=300, le=1_000_000)
    """Largest vocabulary of the tokenizer, in tokens."""
    hidden_size: int = Field(96, ge=8, le=LARGEST_LAYER)
    """Size of a token's hidden state."""
    num_hidden_layers: int = Field(2, ge=1, le=12)
    """Transformer layers."""
    num_attention_heads: int = Field(4, ge=1, le=1024)
    """Attention heads; must divide the hidden size."""

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(f"must have num_attention_heads that divide hidden_size ({self.hidden_size})")
        return self


class ModelSettings(Settings):
    """The classifier."""

    kind: Literal["pretrained", "tiny", "probe", "tfidf", "zero_shot"] = "pretrained"
    """pretrained fine-tunes a pretrained encoder; tiny trains a small one from random weights; probe fits a logistic regression
    on the layers of a pretrained encoder, and tfidf on a bag of words, both in seconds; zero_shot uses an existing classifier."""
    name: str = "FacebookAI/roberta-base"
    """Folder or Hugging Face hub name of the pretrained model or classifier."""
    revision: str | None = None
    """Commit of the model on the hub, for reproducible runs; null takes the newest."""
    layers: tuple[Annotated[int, Field(ge=0, le=1000)], ...] | None = Field(None, min_length=1)
    """Layers whose mean over the tokens a probe takes; 0 is below the first. Null takes the last."""
    labels: dict[str, str | None] = Field({})
    """zero_shot only: label of the classifier -> label of the data, or null for none of them."""
    tiny: TinySettings = TinySettings()
    """Shape of a `tiny` model."""

    @model_validator(mode="after")
    def _zero_shot_has_labels(self) -> Self:
        if self.kind == "zero_shot" and not any(self.labels.values()):
            raise ValueError("must have labels that map the classifier's labels to labels of the data")
        return self

    @model_validator(mode="after")
    def _layers_differ(self) -> Self:
        if self.layers is not None and len(set(self.layers)) < len(self.layers):
            raise ValueError("must have layers that differ from each other")
        return self


class TextTrainingSettings(TrainingSettings):
    """Training settings with defaults for fine-tuning, and those that only text has."""

    max_epochs: int = Field(4, ge=1, le=MOST_EPOCHS)
    """Largest number of epochs."""
    max_tokens_per_batch: int = Field(4096, ge=32, le=2**24)
    """Most tokens in a batch, padding included; a batch has texts of similar length, at most `batch_size` of them."""
    lr: float = Field(2e-5, gt=0, le=1)
    """Peak learning rate of AdamW."""
    layer_decay: float = Field(1.0, gt=0, le=1)
    """Factor on the learning rate from each layer to the one below it; 1 gives all layers the same rate."""
    schedule: Literal["cosine", "linear", "plateau", "constant"] = "linear"
    """Decay of the learning rate: along a cosine or a line to zero, halved when dev loss stalls, or none."""
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """Share of each target that is spread over all classes."""
    class_balancing: Literal["none", "inverse", "effective", "sampler"] = "none"
    """Class balancing: none; loss weights inverse to class frequency or to its effective number, both with mean 1; or a sampler
    that draws each class equally often."""
    patience: int | None = Field(3, ge=1, le=MOST_EPOCHS)
    """Epochs without a higher dev UAR before early stopping; null trains to the end."""
    gradient_checkpointing: bool = False
    """Recompute activations in the backward pass: less memory, about a third more time."""


class TextSettings(Settings):
    """All settings of a text training."""

    name: Name = "text"
    """Name of the experiment in reports."""
    modality: Literal["text"] = "text"
    """Modality of these settings."""
    published: PublishedScore = PublishedScore()
    """Scores that others published for this experiment; reported beside the measured ones, never used for tuning."""
    data: DataSettings = DataSettings()
    features: FeatureSettings = FeatureSettings()
    model: ModelSettings = ModelSettings()
    training: TextTrainingSettings = TextTrainingSettings()

    @model_validator(mode="after")
    def _batches_hold_a_text(self) -> Self:
        max_length, training = self.features.max_length, self.training
        if training.max_tokens_per_batch < max_length:
            raise ValueError(f"training.max_tokens_per_batch must be at least features.max_length ({max_length})")
        # Sampled rows have other lengths in each epoch; only batches limited by count are then equally many.
        if training.class_balancing == "sampler" and training.max_tokens_per_batch < max_length * training.batch_size:
            raise ValueError(
                "training.class_balancing = sampler needs training.max_tokens_per_batch of at least "
                f"features.max_length x training.batch_size ({max_length * training.batch_size})"
            )
        return self
