"""The predictions that a run folder holds: they must be those that its `metrics.json` was computed from."""

from pathlib import Path

from emokit import predictions, runs
from emokit.errors import DataError
from emokit.metrics import confusion_matrix
from emokit.predictions import Predictions


def read_split(run: Path, split: str) -> Predictions:
    """Read the predictions of a run's held-out split, and check that they are those its `metrics.json` was computed from.

    Raises:
        DataError: the table is missing or damaged, or has other utterances, labels or predictions than the scores.
    """
    path, again = run / runs.PREDICTIONS / f"{split}.parquet", "make the run again"
    table = predictions.read(path)
    others = table.table[table.table["split"] != split]
    if len(others):
        row = others.iloc[0]
        raise DataError(
            f"{path} has {row['utterance_id']} of the split {row['split']}; expected {split} only, so {again}."
        )
    metrics = runs.read_metrics(run)
    scores = metrics["splits"].get(split, {"n": 0})
    if len(table.table) != scores["n"]:
        raise DataError(
            f"{path} has {len(table.table):,} utterances where {runs.METRICS} has the scores of {scores['n']:,}; {again}."
        )
    if list(table.labels) != metrics["labels"]:
        raise DataError(
            f"{path} has the labels {', '.join(table.labels)} where {runs.METRICS} has {', '.join(metrics['labels'])}; "
            f"{again}."
        )
    confusion = confusion_matrix(table.targets, table.probabilities.argmax(axis=1), len(table.labels))
    if confusion.tolist() != scores.get("confusion", confusion.tolist()):
        raise DataError(
            f"{path} has other labels or predictions than the confusion matrix of {split} in {runs.METRICS}; {again}."
        )
    return table
