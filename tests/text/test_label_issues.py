"""Label issues: the least probable labels come first."""

import numpy
import pandas

from emokit import predictions
from emokit.labels import DEFAULT_LABELS
from emokit.text.label_issues import label_issues, write_label_issues


def new_predictions(labels, probabilities):
    ids = [f"c/{number}" for number in range(len(labels))]
    rows = pandas.DataFrame({"utterance_id": ids, "corpus": "c", "speaker": ids, "dialogue": None, "split": "dev"})
    rows["label"] = labels
    rows["raw_label"], rows["text"] = "raw", [f'text "{number}", with a comma' for number in range(len(labels))]
    return predictions.make(rows, numpy.array(probabilities), labels=DEFAULT_LABELS, model="m", fingerprint="f"), rows


def probabilities(**given):
    return [given.get(label, (1 - sum(given.values())) / (7 - len(given))) for label in DEFAULT_LABELS]


def test_the_least_probable_labels_come_first_and_those_that_agree_are_left_out(tmp_path):
    predicted, rows = new_predictions(
        ["happy", "sad", "fear"],
        [probabilities(angry=0.6, happy=0.2), probabilities(sad=0.9), probabilities(neutral=0.9, fear=0.01)],
    )
    table = label_issues(predicted, rows.iloc[::-1])
    assert table["utterance_id"].tolist() == ["c/2", "c/0"]
    assert table["predicted"].tolist() == ["neutral", "angry"]
    assert table["p_label"].round(2).tolist() == [0.01, 0.2]
    write_label_issues(tmp_path, predicted, rows)
    assert (tmp_path / "label_issues.csv").read_text().splitlines() == [
        "utterance_id,corpus,raw_label,label,p_label,predicted,p_predicted,text",
        'c/2,c,raw,fear,0.0100,neutral,0.9000,"text ""2"", with a comma"',
        'c/0,c,raw,happy,0.2000,angry,0.6000,"text ""0"", with a comma"',
    ]
