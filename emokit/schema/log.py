"""`log.jsonl`: a line per epoch."""

from pydantic import Field

from emokit.schema.base import Schema


class LogLine(Schema):
    """The line of one epoch; a modality may leave scores out."""

    epoch: int = Field(ge=1)
    train_loss: float | None = None
    dev_loss: float | None = None
    dev_uar: float | None = None
    dev_accuracy: float | None = None
    dev_weighted_f1: float | None = None
    dev_num_classes_predicted: int | None = None
    learning_rate: float | None = None
    seconds: float | None = None
    best: bool | None = None
