"""`emokit predict` with a run of text, as a user types it."""

import json

import pytest
from typer.testing import CliRunner

from emokit.cli.app import app
from emokit.data.prepared import open_prepared
from emokit.labels import LABELS
from emokit.text.settings import TextSettings
from emokit.text.train import train

runner = CliRunner()
pytestmark = pytest.mark.end_to_end
SENTENCES = ["I love this recipe", "مرحبا 😂 \u202eabc", 'a\ttab and "quotes"', "gross"]


@pytest.fixture(scope="module")
def run(text_prepared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("predict") / "run"
    values = {
        "name": "small",
        "features": {"max_length": 24},
        "model": {
            "kind": "tiny",
            "tiny": {"vocab_size": 400, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2},
        },
        "training": {"max_epochs": 1},
    }
    train(TextSettings.make(values), open_prepared(text_prepared), folder, device="cpu")
    return folder


def predict(run, *more, **how):
    return runner.invoke(app, ["predict", str(run), "--device", "cpu", *map(str, more)], **how)


def test_one_line_a_sentence_with_seven_probabilities(run):
    result = predict(run, *SENTENCES)
    assert result.exit_code == 0, result.output
    header, *lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert header == ["number", "label", *LABELS, "text"]
    assert [line[0] for line in lines] == ["1", "2", "3", "4"]
    assert [line[-1] for line in lines] == [" ".join(sentence.split()) for sentence in SENTENCES]
    for line in lines:
        values = [float(number) for number in line[2:-1]]
        assert sum(values) == pytest.approx(1, abs=0.005)
        assert values[LABELS.index(line[1])] == max(values)


def test_a_file_and_standard_input_give_what_arguments_give(run, tmp_path):
    (tmp_path / "lines.txt").write_bytes("\ufeff".encode() + "\r\n".join(SENTENCES).encode())
    given = [
        predict(run, *SENTENCES, "--json"),
        predict(run, "--file", tmp_path / "lines.txt", "--json"),
        predict(run, "-", "--json", input="\n".join(SENTENCES) + "\n"),
    ]
    found = [[json.loads(line) for line in result.stdout.splitlines()] for result in given]
    assert [one["text"] for one in found[0]] == SENTENCES
    assert list(found[0][0]) == ["number", "text", "label", "probabilities", "cut"]
    assert found[0] == found[1] == found[2]


def test_a_long_text_is_read_from_its_beginning_and_said_to_be(run):
    result = predict(run, "short", "word " * 20_000)
    assert result.exit_code == 0
    assert result.stderr.splitlines()[-1] == "1 of 2 texts were longer than the model reads; their beginnings were read"


def test_a_split_becomes_a_table(run, text_prepared, tmp_path):
    out = tmp_path / "dev.parquet"
    result = predict(run, "--data", text_prepared, "--split", "dev", "--out", out)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == str(out)
    assert out.read_bytes() == (run / "predictions" / "dev.parquet").read_bytes()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"fine\n\nfine", "{file}, line 2, has an empty text; give it words or leave it out."),
        (b"fi\0ne", "{file}, line 1, has a null character at 3; save it as UTF-8 text."),
        (
            "ä".encode("cp1252"),
            "{file}, line 1, is not UTF-8 (byte 0xe4 at 0); save it as UTF-8 text.",
        ),
        (b"", "{file} holds no text; give one sentence a line."),
        (None, "{file} cannot be read (No such file or directory); name a file of one sentence a line."),
    ],
)
def test_a_file_that_is_no_text_is_named_with_the_line(run, tmp_path, content, sentence):
    file = tmp_path / "lines.txt"
    if content is not None:
        file.write_bytes(content)
    result = predict(run, "--file", file)
    assert result.exit_code == 3
    assert result.stderr.splitlines()[-1] == f"error: {sentence.format(file=file)}"


@pytest.mark.parametrize(
    ("more", "code", "sentence"),
    [
        ([""], 3, "Sentence 1 has an empty text; give it words or leave it out."),
        ([], 2, "Name sentences, a file of them with --file or a prepared folder with --data, one of the three."),
        (
            ["a", "--file", "b"],
            2,
            "Name sentences, a file of them with --file or a prepared folder with --data, one of the three.",
        ),
        (["--data", "x"], 2, "--data was given without --out; name the parquet table to write."),
    ],
)
def test_a_slip_costs_one_sentence(run, more, code, sentence):
    result = predict(run, *more)
    assert result.exit_code == code
    assert result.stderr.splitlines()[-1] == f"error: {sentence}"


def test_a_file_of_sentences_is_nothing_for_a_run_of_sound(tmp_path):
    (tmp_path / "settings.yaml").write_text("modality: audio\n")
    (tmp_path / "metrics.json").write_text("{}")
    result = predict(tmp_path, "--file", "x.txt")
    assert result.exit_code == 2
    assert result.stderr.strip() == (
        f"error: --file was given and {tmp_path} is no run of text; name sound files instead."
    )
