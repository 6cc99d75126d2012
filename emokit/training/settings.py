"""Settings of every training."""

from typing import Literal

from pydantic import Field

from emokit.settings import MOST_SEED, Settings

# Larger values are slips of the hand: they would fill the memory, or train for ever.
MOST_EPOCHS = 100_000
LARGEST_LAYER = 65_536


class PublishedScore(Settings):
    """Scores that others reported for this experiment, for comparison."""

    accuracy: float | None = Field(None, ge=0, le=1)
    """Accuracy on test, 0 to 1."""
    weighted_f1: float | None = Field(None, ge=0, le=1)
    """Weighted F1 on test, 0 to 1."""
    note: str = ""
    """How the scores were measured, as far as is known."""


class TrainingSettings(Settings):
    """Optimiser, schedule, regularisation and stopping."""

    max_epochs: int = Field(60, ge=1, le=MOST_EPOCHS)
    """Maximum number of epochs."""
    batch_size: int = Field(32, ge=2, le=65_536)
    """Utterances per batch."""
    gradient_accumulation_steps: int = Field(1, ge=1, le=65_536)
    """Batches whose gradients are summed before an optimiser step."""
    lr: float = Field(5e-4, gt=0, le=1)
    """Peak learning rate of AdamW."""
    weight_decay: float = Field(0.01, ge=0, le=1000)
    """Weight decay of AdamW; biases and normalisation layers have none."""
    schedule: Literal["cosine", "linear", "plateau", "constant"] = "cosine"
    """Learning rate after the warm-up: cosine or linear decay to zero, halved when dev loss stalls (plateau), or constant."""
    warmup_ratio: float = Field(0.1, ge=0, lt=1)
    """Ratio of all steps over which the learning rate rises linearly from zero."""
    plateau_patience: int = Field(5, ge=1, le=MOST_EPOCHS)
    """Epochs without a lower dev loss before the plateau schedule halves the learning rate."""
    max_grad_norm: float | None = Field(1.0, gt=0)
    """Maximum gradient norm for clipping; null does not clip."""
    ema_decay: float | None = Field(None, gt=0, lt=1)
    """Decay per step of an exponential moving average of the weights, which is scored and saved; null saves the last weights."""
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    """Ratio of each target that is spread over all classes."""
    class_balancing: Literal["none", "inverse", "effective", "sampler"] = "inverse"
    """Class balancing: none; loss weights inverse to class frequency (inverse) or to the effective number of samples (effective,
    Cui et al. 2019, https://arxiv.org/abs/1901.05555), both with mean 1; or drawing each class equally often (sampler)."""
    checkpoint: Literal["best", "last"] = "best"
    """Weights that are saved and scored: of the epoch with the best dev UAR, or of the last epoch. The last is safer when dev has
    few speakers and its best epoch is a matter of chance."""
    patience: int | None = Field(15, ge=1, le=MOST_EPOCHS)
    """Epochs without a higher dev UAR before training stops early; null, or checkpoint last, trains all epochs."""
    collapse_patience: int = Field(5, ge=1, le=MOST_EPOCHS)
    """Consecutive epochs after the warm-up with one predicted class on dev and no lower dev loss, before training stops as
    collapsed."""
    report_to: tuple[Literal["tensorboard", "wandb", "mlflow"], ...] = ("tensorboard",)
    """Trackers that log the training: TensorBoard in the run folder, Weights & Biases, MLflow."""
    seed: int = Field(0, ge=0, le=MOST_SEED)
    """Random seed of weights, order, Mixup and dropout."""
