"""The utterances of dev whose label the model doubts most, for a person to look at; nothing is cleaned."""

import io
from pathlib import Path

import pandas

from emokit.files import write_text
from emokit.labels import LABELS
from emokit.predictions import Predictions

LABEL_ISSUES = "label_issues.csv"
MOST = 200


def label_issues(found: Predictions, utterances: pandas.DataFrame) -> pandas.DataFrame:
    """Rank predictions by how improbable the model finds the given label, the least probable first.

    Args:
        found: predictions of utterances that the model was not trained on.
        utterances: their rows, with `text` and `raw_label`.

    Returns:
        at most `MOST` rows whose label is not the model's own guess:
        `utterance_id corpus raw_label label p_label guess p_predicted text`.
    """
    probabilities = found.probabilities
    table = found.table[["utterance_id", "corpus", "label"]].assign(
        p_label=probabilities[range(len(probabilities)), found.targets],
        predicted=[LABELS[target] for target in probabilities.argmax(axis=1)],
        p_predicted=probabilities.max(axis=1),
    )
    table = table.merge(utterances[["utterance_id", "raw_label", "text"]], on="utterance_id", validate="1:1")
    doubtful = table[table["predicted"] != table["label"]].sort_values(["p_label", "utterance_id"]).head(MOST)
    columns = ["utterance_id", "corpus", "raw_label", "label", "p_label", "predicted", "p_predicted", "text"]
    return doubtful[columns].reset_index(drop=True)


def write_label_issues(run: Path, found: Predictions, utterances: pandas.DataFrame) -> None:
    """Write the ranking into the run folder."""
    text = io.StringIO()
    label_issues(found, utterances).to_csv(text, index=False, float_format="%.4f")
    write_text(run / LABEL_ISSUES, text.getvalue())
