"""YAML files: what is lost, damaged or a bomb is refused in a sentence."""

from pathlib import Path

import pytest
import yaml

from emokit.errors import DataError, UsageError
from emokit.yaml_files import MOST_VALUES, load_yaml, read_yaml_mapping

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def test_a_bomb_of_aliases_is_refused_before_it_is_written_out(tmp_path: Path) -> None:
    with pytest.raises(yaml.YAMLError, match=f"more than {MOST_VALUES} values"):
        load_yaml(BOMB)
    with pytest.raises(yaml.YAMLError):
        load_yaml("a: &a [*a]")
    (tmp_path / "bomb.yaml").write_text(BOMB)
    with pytest.raises(UsageError) as caught:
        read_yaml_mapping(tmp_path / "bomb.yaml")
    assert str(caught.value) == f"{tmp_path / 'bomb.yaml'} is not valid YAML; fix it and run the command again."


def test_aliases_in_usual_numbers_are_read() -> None:
    assert load_yaml("a: &a [1, 2]\nb: *a\nc: {<<: {d: 1}}") == {"a": [1, 2], "b": [1, 2], "c": {"d": 1}}
    assert load_yaml("") is None


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"a: [", " is not valid YAML at line 1"),
        (b"[]", " holds a list where a mapping of settings was expected"),
        (b"\xff\xfea", " is not UTF-8 text"),
        (None, " is a folder, not a file"),
    ],
)
def test_a_file_that_emokit_wrote_is_data(tmp_path: Path, content: bytes | None, fault: str) -> None:
    path = tmp_path / "settings.yaml"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_yaml_mapping(path, DataError)
    assert str(caught.value) == f"{path}{fault}; make its folder again, or leave it out."


@pytest.mark.parametrize(
    "text",
    [
        "1:30",
        "1:30.5",
        "010",
        "08",
        "0o17",
        "0x1F",
        "1_000",
        "yes",
        "no",
        "on",
        "off",
        "y",
        "N",
        "Yes",
        "2024-01-31",
        "=",
    ],
)
def test_a_word_that_only_yaml_1_1_takes_for_something_else_is_text(text: str) -> None:
    assert load_yaml(f"a: {text}\nb: [{text}]\n{text}: c") == {"a": text, "b": [text], text: "c"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("10", 10),
        ("-3", -3),
        ("0", 0),
        ("0.5", 0.5),
        ("-.5", -0.5),
        ("2.", 2.0),
        ("1.0e-05", 1e-5),
        ("1.5e3", 1500.0),
        (".inf", float("inf")),
        ("1e-4", "1e-4"),  # a number for a setting that is one
        ("'true'", "true"),
    ],
)
def test_what_looks_like_a_number_true_or_null_is_one(text: str, value: object) -> None:
    read = load_yaml(f"a: {text}")["a"]
    assert (read, type(read)) == (value, type(value))


def test_what_emokit_writes_is_read_as_it_was() -> None:
    written = {
        "a": ["no", "1:30", "010", "2024-01-31", "1_000", "1e5", "~", "", "true"],
        "b": [1, 0.5, 1e-7, None, True],
    }
    assert load_yaml(yaml.safe_dump(written)) == written
