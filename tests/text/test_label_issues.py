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


def test_a_text_that_a_spreadsheet_takes_as_a_formula_stays_text(tmp_path):
    predicted, rows = new_predictions(["happy", "sad"], [probabilities(angry=0.6), probabilities(angry=0.7)])
    rows["text"], rows["raw_label"] = ["=HYPERLINK(1)", None], ["-joy", "@sad"]
    write_label_issues(tmp_path, predicted, rows)
    assert (tmp_path / "label_issues.csv").read_text().splitlines()[1:] == [
        "c/1,c,'@sad,sad,0.0500,angry,0.7000,",
        "c/0,c,'-joy,happy,0.0667,angry,0.6000,'=HYPERLINK(1)",
    ]
