"""What can be set of any training, audio or text."""

from typing import Literal

from pydantic import Field

from emokit.settings import Settings


class PublishedScore(Settings):
    """What somebody else reported for this experiment, to stand beside what is measured."""

    accuracy: float | None = Field(None, ge=0, le=1)
    """Accuracy on test, as a share."""
    weighted_f1: float | None = Field(None, ge=0, le=1)
    """Weighted F1 on test, as a share."""
    note: str = ""
    """How it was measured, as far as is known."""


class TrainingSettings(Settings):
    """The recipe: optimiser, schedule, regularisation, when to stop."""

    max_epochs: int = Field(60, ge=1)
    """The most epochs to train for."""
    batch_size: int = Field(32, ge=2)
    """Utterances per optimiser step."""
    gradient_accumulation_steps: int = Field(1, ge=1)
    """Batches whose gradients are added up before the optimiser steps."""
    lr: float = Field(5e-4, gt=0, le=1)
    """The highest learning rate of AdamW."""
    weight_decay: float = Field(0.01, ge=0)
    """AdamW's weight decay; biases and normalisation layers are left out of it."""
    schedule: Literal["cosine", "linear", "plateau", "constant"] = "cosine"
    """How the learning rate falls: along a cosine or a line to zero, halved when dev loss stalls, or not at all."""
    warmup_ratio: float = Field(0.1, ge=0, lt=1)
    """Share of all steps over which the learning rate rises from zero."""
    plateau_patience: int = Field(5, ge=1)
    """Epochs without a lower dev loss before the plateau schedule halves the learning rate."""
    max_grad_norm: float | None = Field(1.0, gt=0)
    """Gradients with a larger norm are scaled down to this norm; null does not clip."""
    ema_decay: float | None = Field(None, gt=0, lt=1)
    """Keep a moving average of the weights with this decay per step and score and save it; null keeps the last weights."""
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    """Share of each target that is spread over all classes."""
    class_balancing: Literal["none", "inverse", "effective", "sampler"] = "inverse"
    """How classes are balanced: not; by weights in the loss inverse to their frequency, or to their effective number (Cui et al.
    2019, https://arxiv.org/abs/1901.05555), both with mean 1; or by drawing each class equally often."""
    checkpoint: Literal["best", "last"] = "best"
    """Whose weights are kept and scored: those of the epoch that is best on dev, or those of the last epoch, which are the safer
    choice where dev is a speaker or two and its best epoch a matter of luck."""
    patience: int | None = Field(15, ge=1)
    """Epochs without a higher dev UAR before training stops early; null trains to the end, as does keeping the last epoch."""
    collapse_patience: int = Field(5, ge=1)
    """Epochs in a row after the warm-up with only one class predicted on dev, and no lower loss, before training is stopped as
    collapsed."""
    seed: int = Field(0, ge=0, lt=2**32)
    """The seed of weights, order, Mixup and dropout."""
