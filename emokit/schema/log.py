"""`log.jsonl`: a line per epoch."""

from typing import Annotated

from pydantic import Field

from emokit.schema.base import Count, Flag, Number, Schema


class LogLine(Schema):
    """The line of one epoch; a modality may leave scores out."""

    epoch: Annotated[int, Field(strict=True, ge=1, le=2**53)]
    train_loss: Number | None = None
    dev_loss: Number | None = None
    dev_uar: Number | None = None
    dev_accuracy: Number | None = None
    dev_weighted_f1: Number | None = None
    dev_num_classes_predicted: Count | None = None
    learning_rate: Number | None = None
    seconds: Number | None = None
    best: Flag | None = None
