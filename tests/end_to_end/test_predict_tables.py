"""`emokit predict` with tables in and out, and with names of files that are not UTF-8."""

import json
import os
import shutil
from pathlib import Path

import pandas
import pytest

from emokit import predictions
from emokit.names import unescaped
from tests.cli.test_predict import LABELS, SENTENCES, cells, predict, values

pytestmark = pytest.mark.end_to_end


@pytest.fixture
def runs(modality_runs):
    return modality_runs


@pytest.fixture
def recordings(small_prepared):
    return [str(path) for path in sorted((small_prepared.parent / "emodb").rglob("*.wav"))[:2]]


def test_a_table_of_texts_gives_what_arguments_give(runs, tmp_path):
    quoted = "\n".join('"{}"'.format(sentence.replace('"', '""')) for sentence in SENTENCES)
    (tmp_path / "texts.csv").write_text(f"text\n{quoted}\n", encoding="utf-8")
    named = values(predict(runs / "text", *SENTENCES, "--json"))
    in_table = [value | {"number": value["number"] + 1} for value in named]  # the header is row 1
    assert values(predict(runs / "text", "--file", tmp_path / "texts.csv", "--json")) == in_table


def test_blank_lines_are_named_and_skipped(runs, tmp_path):
    (tmp_path / "lines.txt").write_text("I am glad.\n\nThis is awful.\n\n")
    result = predict(runs / "text", "--file", tmp_path / "lines.txt")
    _, lines = cells(result)
    assert [(line[0], line[-1]) for line in lines] == [("1", "I am glad."), ("3", "This is awful.")]
    assert result.stderr.splitlines() == ["skipped 2 blank lines: 2, 4"]


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
@pytest.mark.parametrize("name", ["audio", "text", "late-fusion"])
def test_inputs_become_a_table(runs, recordings, tmp_path, name, ending):
    words = SENTENCES if name == "text" else recordings
    shown, out = values(predict(runs / name, *words, "--json")), tmp_path / f"new.{ending}"
    result = predict(runs / name, *words, "--out", out)
    assert (result.exit_code, result.stdout, result.stderr.splitlines()[0]) == (0, f"{out}\n", f"{len(words)} inputs")
    separator = "\t" if ending == "tsv" else ","
    table = pandas.read_parquet(out) if ending == "parquet" else pandas.read_csv(out, sep=separator)
    given = {"audio": ["file"], "text": ["number", "text"], "late-fusion": ["file", "text"]}[name]
    details = {"audio": [], "text": ["cut"], "late-fusion": ["modalities"]}[name]
    assert list(table) == [*given, "label", *[f"p_{label}" for label in LABELS], *details]
    assert table[given[0]].tolist() == [value[given[0]] for value in shown]
    assert table["label"].tolist() == [value["label"] for value in shown]
    for label in LABELS:
        assert table[f"p_{label}"].tolist() == pytest.approx(
            [value["probabilities"][label] for value in shown], abs=1e-6
        )
    again = predict(runs / name, *words, "--out", tmp_path / f"b.{ending}", "--json")
    assert values(again) == [{"predictions": str(tmp_path / f"b.{ending}"), "inputs": len(words)}]
    assert (tmp_path / f"b.{ending}").read_bytes() == out.read_bytes()


def test_a_table_of_inputs_leaves_out_what_fails(runs, recordings, tmp_path):
    (tmp_path / "damaged.wav").write_bytes(b"no audio")
    result = predict(runs / "audio", tmp_path / "damaged.wav", recordings[0], "--out", tmp_path / "new.csv")
    assert result.exit_code == 3
    assert result.stderr.splitlines()[-1] == "1 of 2 inputs could not be predicted"
    assert pandas.read_csv(tmp_path / "new.csv")["file"].tolist() == recordings[:1]
    result = predict(runs / "audio", tmp_path / "damaged.wav", "--out", tmp_path / "none.csv", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (3, {"predictions": None, "inputs": 0})
    assert not (tmp_path / "none.csv").exists()


@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_a_split_becomes_a_table_of_text(runs, small_prepared, tmp_path, ending):
    out = tmp_path / f"dev.{ending}"
    assert predict(runs / "text", "--data", small_prepared, "--split", "dev", "--out", out).exit_code == 0
    table = pandas.read_csv(out, sep="\t" if ending == "tsv" else ",", dtype={"speaker": str, "dialogue": str})
    before = predictions.read(runs / "text" / "predictions" / "dev.parquet").table
    assert list(table) == list(before)
    assert table["speaker"].tolist() == before["speaker"].tolist()
    assert (
        table[[f"p_{label}" for label in LABELS]].astype("float32") == before[[f"p_{label}" for label in LABELS]]
    ).all(axis=None)


ODD = [b"caf\xe9.wav", b"tab\there.wav", b"line\nfeed.wav", b"\x1b[31mred.wav"]
ODD_SHOWN = [r"caf\xe9.wav", r"tab\there.wav", r"line\nfeed.wav", r"\x1b[31mred.wav"]


@pytest.fixture
def odd_names(recordings, tmp_path):
    """Copies of a recording with names that are not UTF-8 or have control characters."""
    paths = [os.fsencode(tmp_path) + b"/" + name for name in ODD]
    for path in paths:
        shutil.copy(recordings[0], path)
    return [os.fsdecode(path) for path in paths]


def test_odd_names_are_shown_in_one_line_and_stored_without_loss(runs, odd_names, tmp_path):
    _, lines = cells(predict(runs / "audio", *odd_names))
    assert [line[0] for line in lines] == [f"{tmp_path}/{name}" for name in ODD_SHOWN]
    assert [unescaped(value["file"]) for value in values(predict(runs / "audio", *odd_names, "--json"))] == odd_names
    for name in ("a.parquet", "a.csv"):
        assert predict(runs / "audio", *odd_names, "--out", tmp_path / name).exit_code == 0
        table = (pandas.read_csv if name == "a.csv" else pandas.read_parquet)(tmp_path / name)
        assert [unescaped(file) for file in table["file"]] == odd_names


def test_odd_names_are_one_line_in_errors(runs, odd_names):
    for path in odd_names:
        Path(path).write_bytes(b"")
    result = predict(runs / "audio", *odd_names)
    assert result.exit_code == 3
    *errors, summary = result.stderr.splitlines()
    assert [error.split(" is empty (")[0].split("/")[-1] for error in errors] == ODD_SHOWN
    assert summary == "4 of 4 inputs could not be predicted"
