"""The table of predicted inputs: what identifies each, its label, its probabilities and its details."""

import json
import os

import numpy
import pandas
import pyarrow.parquet
import pytest

from emokit.delimited import read_table
from emokit.labels import LabelSet
from emokit.modality.output import write_inputs
from emokit.modality.predictor import Prediction
from emokit.names import escaped

LABELS = LabelSet(("calm", "loud"))
LATIN = escaped(os.fsdecode(b"caf\xe9\t.wav"))
PREDICTIONS = [
    Prediction(LABELS, numpy.array([0.1, 0.9]), {"file": LATIN, "text": None}, details={"modalities": ["audio"]}),
    Prediction(LABELS, numpy.array([1.0, 0.0]), {"file": "-", "text": None}, details={"modalities": ["audio", "text"]}),
]


def test_a_parquet_table_has_types_and_the_label_set(tmp_path):
    assert write_inputs(iter(PREDICTIONS), tmp_path / "a.parquet") == 2
    table = pyarrow.parquet.read_table(tmp_path / "a.parquet")
    assert [(field.name, str(field.type)) for field in table.schema] == [
        ("file", "string"),
        ("text", "string"),
        ("label", "string"),
        ("p_calm", "float"),
        ("p_loud", "float"),
        ("modalities", "string"),
    ]
    assert json.loads(table.schema.metadata[b"emokit.labels"]) == ["calm", "loud"]
    assert table["file"].to_pylist() == ["caf\\xe9\\t.wav", "-"]
    assert table["text"].to_pylist() == [None, None]
    assert table["modalities"].to_pylist() == ["audio", "audio text"]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_a_table_of_text_has_every_digit_of_float32_and_no_formula(tmp_path, name):
    write_inputs(PREDICTIONS, tmp_path / name)
    table = read_table(tmp_path / name)
    assert table.columns == ("file", "text", "label", "p_calm", "p_loud", "modalities")
    assert [row.cells for row in table.rows] == [
        ("caf\\xe9\\t.wav", "", "loud", "0.1", "0.9", "audio"),
        ("'-", "", "calm", "1.0", "0.0", "audio text"),
    ]


def test_no_prediction_is_no_table(tmp_path):
    assert write_inputs([], tmp_path / "a.csv") == 0
    assert list(tmp_path.iterdir()) == []


def test_probabilities_are_those_of_float32(tmp_path):
    odd = Prediction(LABELS, numpy.array([1 / 3, 2 / 3]), {"file": "a"})
    write_inputs([odd], tmp_path / "a.csv")
    write_inputs([odd], tmp_path / "a.parquet")
    text, typed = pandas.read_csv(tmp_path / "a.csv"), pandas.read_parquet(tmp_path / "a.parquet")
    assert text["p_calm"].astype("float32").tolist() == typed["p_calm"].tolist() == [numpy.float32(1 / 3)]


def test_a_text_is_written_unchanged(tmp_path):
    text = "a\tb\\n\nc \u202e"
    write_inputs([Prediction(LABELS, numpy.array([0.5, 0.5]), {"number": 1, "text": text})], tmp_path / "a.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "a.parquet")["text"].to_pylist() == [text]
