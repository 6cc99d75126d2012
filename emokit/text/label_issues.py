"""Label issues: the dev utterances whose label the model finds least probable, for review. No label is changed."""

from pathlib import Path

import pandas

from emokit import runs
from emokit.files import write_csv
from emokit.predictions import Predictions

MAX_ROWS = 200


def label_issues(predictions: Predictions, utterances: pandas.DataFrame) -> pandas.DataFrame:
    """Rank utterances whose label differs from the predicted one, the least probable label first.

    Args:
        predictions: of utterances that the model was not trained on.
        utterances: their rows, with `text` and `raw_label`.

    Returns:
        at most `MAX_ROWS` rows: `utterance_id corpus raw_label label p_label predicted p_predicted text`.
    """
    probabilities = predictions.probabilities
    table = predictions.table[["utterance_id", "corpus", "label"]].assign(
        p_label=probabilities[range(len(probabilities)), predictions.targets],
        predicted=[predictions.labels[target] for target in probabilities.argmax(axis=1)],
        p_predicted=probabilities.max(axis=1),
    )
    table = table.merge(utterances[["utterance_id", "raw_label", "text"]], on="utterance_id", validate="1:1")
    issues = table[table["predicted"] != table["label"]].sort_values(["p_label", "utterance_id"]).head(MAX_ROWS)
    columns = ["utterance_id", "corpus", "raw_label", "label", "p_label", "predicted", "p_predicted", "text"]
    return issues[columns].reset_index(drop=True)


def write_label_issues(run: Path, predictions: Predictions, utterances: pandas.DataFrame) -> None:
    """Write the ranking into the run folder."""
    issues = label_issues(predictions, utterances)
    rows = [
        ["" if pandas.isna(value) else f"{value:.4f}" if isinstance(value, float) else value for value in row]
        for row in issues.itertuples(index=False)
    ]
    write_csv(run / runs.LABEL_ISSUES, issues.columns, rows)
