"""Secrets, control characters and formulas, in every form that was thought of."""

import csv
import io
import json

import pytest

from emokit.safe_text import escape_controls, escape_json, from_spreadsheet_cell, mask_secrets, spreadsheet_cell

HUB_TOKEN = "hf_" + "aB3" * 11


@pytest.mark.parametrize(
    ("given", "masked"),
    [
        ("postgresql://ann:secret@host/sweeps", "postgresql://ann:***@host/sweeps"),
        ("--storage=mysql+pymysql://ann:se:c/r@et@host", "--storage=mysql+pymysql://ann:***@host"),
        ("postgresql:/ann:secret@host/sweeps", "postgresql:/ann:***@host/sweeps"),
        ("postgresql://ann@host:5432/sweeps", "postgresql://ann@host:5432/sweeps"),
        ("https://s3cr3t@host/a.zip", "https://***@host/a.zip"),
        ("git+HTTPS://s3cr3t:x-oauth-basic@host/a.git", "git+HTTPS://***@host/a.git"),
        ("https://ann:s3c/r3t@host/a.zip", "https://***@host/a.zip"),
        ("https://host/a?token=s3cr3t&page=2", "https://host/a?token=***&page=2"),
        ("https://host/a?page=2&access_token=s3cr3t", "https://host/a?page=2&access_token=***"),
        ("https://host/a?api_key=s3cr3t#top", "https://host/a?api_key=***#top"),
        ("https://host/a?KEY=s3cr3t", "https://host/a?KEY=***"),
        ("https://host/a?client_secret=s3cr3t", "https://host/a?client_secret=***"),
        ("https://host/a?se=2030&sig=s3%2Fcr3t", "https://host/a?se=2030&sig=***"),
        ("https://host/a?X-Amz-Credential=s&X-Amz-Signature=s", "https://host/a?X-Amz-Credential=***&X-Amz-Signature=***"),
        ("postgresql://host/s?user=ann&password=s3cr3t&sslmode=require", "postgresql://host/s?user=ann&password=***&sslmode=require"),
        ("host=db user=ann password='s3 cr3t' dbname=s", "host=db user=ann password=*** dbname=s"),
        ("--hub-token=s3cr3t", "--hub-token=***"),
        ("Authorization: Bearer s3cr3t", "Authorization: ***"),
        ("make it with `--out Authorization: Bearer s3cr3t`.", "make it with `--out Authorization: ***`."),
        ('{"authorization": "Basic YW5uOnM=", "a": 1}', '{"authorization": "***", "a": 1}'),
        ("X-Api-Key: s3cr3t", "X-Api-Key: ***"),
        ("sent bearer abcdefgh12345678", "sent bearer ***"),
        (f"downloaded with {HUB_TOKEN}.", "downloaded with hf_***."),
        (f"https://ann:{HUB_TOKEN}@host", "https://***@host"),
        ("run `emokit push https://a/b?token=s3cr3t`.", "run `emokit push https://a/b?token=***`."),
        ("run `emokit push password=s3cr3t`.", "run `emokit push password=***`."),
    ],
)  # fmt: skip
def test_a_secret_is_masked(given: str, masked: str) -> None:
    assert mask_secrets(given) == masked
    assert mask_secrets(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "runs/one",
        "--set training.max_tokens_per_batch=4096",
        "--set features.sample_rate=16000",
        "https://host:8080/page?page=2#top",
        "runs/hf_encoder",
        "the keyboard = the key to it",
        "C:/runs: a@b",
        "audio: the token in the text, at 5 %",
    ],
)
def test_text_without_a_secret_is_unchanged(text: str) -> None:
    assert mask_secrets(text) == text


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("a\rb\nc\td", r"a\rb\nc\td"),
        ("\x00\x7f\x85\x9b31m", r"\x00\x7f\u0085\u009b31m"),
        ("\u202egpj.wav\u2066\u200f", r"\u202egpj.wav\u2066\u200f"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("caf\udce9.wav", r"caf\xe9.wav"),
        ("\ud800", r"\ud800"),
        ("Größe 日本 😀", "Größe 日本 😀"),
    ],
)
def test_a_control_character_is_shown_and_not_obeyed(given: str, shown: str) -> None:
    assert escape_controls(given) == shown
    assert escape_controls(shown) == shown


def test_control_characters_can_be_left() -> None:
    assert escape_controls("a\tb\nc\x1b", but="\n\t") == "a\tb\nc\\x1b"


def test_json_keeps_its_value_and_has_no_control_characters() -> None:
    value = {"text": "\x1b[31m \x9b \u202e \x7f caf\udce9 Größe\n"}
    line = escape_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(line) == value
    assert line == r'{"text": "\u001b[31m \u009b \u202e \u007f caf\udce9 Größe\n"}'


@pytest.mark.parametrize(
    ("given", "cell"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+49 30", "'+49 30"),
        ("-- no", "'-- no"),
        ("@ann", "'@ann"),
        ("\tx", "'\tx"),
        ("\r=x", "'\r=x"),
        ("'=x", "''=x"),
        ("-", "'-"),
        ("=", "'="),
        ("+_1", "'+_1"),
        ("-1_0", "'-1_0"),
    ],
)
def test_text_that_a_spreadsheet_takes_as_a_formula_stays_text(given: str, cell: str) -> None:
    assert spreadsheet_cell(given) == cell
    assert from_spreadsheet_cell(cell) == given


@pytest.mark.parametrize("value", ["-0.5", "+3", "-1e-4", -0.5, 7, None, True, "I'm glad", "'quoted'", "a=b", ""])
def test_numbers_and_other_text_are_unchanged(value: object) -> None:
    assert spreadsheet_cell(value) is value
    assert from_spreadsheet_cell(value) is value


def test_a_written_table_is_read_back_unchanged() -> None:
    texts = ["=1+1", "'=1+1", "''-x", "'", "-5", "plain", "\n@"]
    table = io.StringIO()
    csv.writer(table).writerow(map(spreadsheet_cell, texts))
    (row,) = csv.reader(io.StringIO(table.getvalue(), newline=""))
    assert list(map(from_spreadsheet_cell, row)) == texts
