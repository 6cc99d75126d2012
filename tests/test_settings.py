"""Settings: reading, overriding, and the sentence for each mistake of a user."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from emokit import runs
from emokit.errors import DataError, UsageError
from emokit.settings import Name, Settings, fields, nearest, parse_value, read_yaml_mapping, set_dotted


class Inner(Settings):
    """A group."""

    max_epochs: int = Field(60, ge=1)
    """Maximum number
    of epochs."""
    lr: float = Field(0.5, gt=0, le=1)
    """Learning rate."""


class Other(Settings):
    """Another group."""

    channels: tuple[int, ...] = Field((64, 128), min_length=1)
    """Channels."""
    max_grad_norm: float | None = Field(1.0, gt=0)
    """Largest norm."""


class Outer(Settings):
    """All of it."""

    name: str = "first"
    """Name of the experiment."""
    training: Inner = Inner()
    model: Other = Other()


def refusal(*overrides: str, path: Path | None = None, **flags: Any) -> str:
    with pytest.raises(UsageError) as caught:
        Outer.read(path, overrides, flags)
    return str(caught.value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "first.yaml"


def test_overrides_replace_values_of_the_file_and_flags_replace_overrides(file: Path) -> None:
    file.write_text("name: second\ntraining: {max_epochs: 2, lr: 0.25}\n")
    read = Outer.read(file, ["training.max_epochs=3", " model.channels =[16,32]"], {"training.lr": 0.125, "name": None})
    assert read == Outer(name="second", training=Inner(max_epochs=3, lr=0.125), model=Other(channels=(16, 32)))


def test_without_values_the_defaults_apply(file: Path) -> None:
    file.write_text("# nothing yet\n")
    assert Outer.read(file) == Outer.read(None) == Outer()


@pytest.mark.parametrize(
    ("text", "value"),
    [("null", None), ("true", True), ("[1, 2]", [1, 2]), ("0.5", 0.5), ("a b", "a b"), ("a=b", "a=b"), ("", None)],
)
def test_values_of_set_have_the_types_of_yaml(text: str, value: object) -> None:
    assert parse_value(text, "key") == value
    assert type(parse_value(text, "key")) is type(value)


def test_only_the_first_equals_sign_divides_key_and_value() -> None:
    assert Outer.read(None, ["name=a=b"]).name == "a=b"


@pytest.mark.parametrize("written", ["5e-4", "5.0e-4", "0.0005"])
def test_a_small_number_may_be_written_in_any_notation(written: str) -> None:
    assert Outer.read(None, [f"training.lr={written}"]).training.lr == 0.0005


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("training.max_epoch=2", "the unknown key training.max_epoch; did you mean training.max_epochs?"),
        ("max_epochs=2", "the unknown key max_epochs; did you mean training.max_epochs?"),
        ("max_epoch=2", "the unknown key max_epoch; did you mean training.max_epochs?"),
        ("model.lr=0.5", "the unknown key model.lr; did you mean training.lr?"),
        ("trainig.lr=0.5", "the unknown key trainig; did you mean training?"),
        ("training.nope=1", "the unknown key training.nope; see `emokit settings` for the known ones."),
        ("zzz=1", "the unknown key zzz; see `emokit settings` for the known ones."),
        ("training.max_epochs=0", "training.max_epochs = 0, but it should be greater than or equal to 1."),
        ("training.lr=2", "training.lr = 2, but it should be less than or equal to 1."),
        ("training.lr=.nan", "training.lr = nan, but it should be a finite number."),
        ("model.max_grad_norm=.inf", "model.max_grad_norm = inf, but it should be a finite number."),
        ("training.max_epochs=2.5", "training.max_epochs = 2.5, but it should be a valid integer, got a number with a "
                                    "fractional part."),
        ("training.max_epochs=true", "training.max_epochs = True, but it should be a number."),
        ("model.max_grad_norm=false", "model.max_grad_norm = False, but it should be a number."),
        ("model.channels=true", "model.channels = True, but it should be a list such as [a,b]."),
        ("model.channels=[true,32]", "model.channels = [True, 32], but it should be numbers."),
        ("training=3", "training = 3, but it should be a group of `key: value` lines."),
        ("model.channels=16", "model.channels = 16, but it should be a list such as [a,b]."),
        ("model.channels=[16,a]", "model.channels.1 = 'a', but it should be a valid integer, unable to parse string as "
                                  "an integer."),
        ("model.channels=[]", "model.channels = [], but it should have at least 1 item after validation, not 0."),
    ],
)  # fmt: skip
def test_a_refused_key_or_value_is_named_with_the_expected_one(override: str, words: str) -> None:
    assert refusal(override) == f"The command line has {words}"


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("training.max_epochs", "--set training.max_epochs has no '='; write it as --set key=value."),
        ("=3", "--set =3 names no key; write it as --set key=value."),
        (
            "model.channels=[1,2",
            "--set model.channels=[1,2 has no valid value; write lists as [1,2] and quote odd text.",
        ),
        ("name=!!bool maybe", "--set name=!!bool maybe has no valid value; write lists as [1,2] and quote odd text."),
        (
            "name=!!timestamp 2024-99-99",
            "--set name=!!timestamp 2024-99-99 has no valid value; write lists as [1,2] and quote odd text.",
        ),
    ],
)
def test_an_override_that_cannot_be_read_is_quoted(override: str, sentence: str) -> None:
    assert refusal(override) == sentence


def test_a_refusal_names_the_file_and_whether_the_command_line_changed_it(file: Path) -> None:
    file.write_text("training:\n  lr: 3\n")
    words = "has training.lr = 3, but it should be less than or equal to 1."
    assert refusal(path=file) == f"{file} {words}"
    assert refusal("name=x", path=file) == f"{file} (with what the command line changes) {words}"
    assert refusal(path=file, name=None) == f"{file} {words}"


def test_an_override_into_a_value_is_refused(file: Path) -> None:
    file.write_text("training: 3\n")
    assert refusal("training.lr=1", path=file) == (
        "training.lr goes into training, which is 3 where a group of `key: value` lines was expected."
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"- 1\n", "holds a list where a mapping of settings was expected; fix it and run the command again."),
        (b"hello", "holds a str where a mapping of settings was expected; fix it and run the command again."),
        (b"name: x\n\ntraining: [1\n", "is not valid YAML at line 4; fix it and run the command again."),
        (b"training:\n\tlr: 3\n", "is not valid YAML at line 2; fix it and run the command again."),
        (b"name: !!python/name:os.system x", "is not valid YAML at line 1; fix it and run the command again."),
        (b"name: !!bool maybe", "is not valid YAML; fix it and run the command again."),
        (b'name: !!int ""', "is not valid YAML; fix it and run the command again."),
        (b'name: !!float ""', "is not valid YAML; fix it and run the command again."),
        (b"name: !!timestamp soon", "is not valid YAML; fix it and run the command again."),
        (b"name: !!timestamp 2024-99-99", "is not valid YAML; fix it and run the command again."),
        (b"name: " + b"[" * 5000, "is not valid YAML; fix it and run the command again."),
        (b"\xff\xfe\x00", "is not UTF-8 text; name a YAML file of settings."),
        (b"training:\n", "has training = None, but it should be a group of `key: value` lines."),
        (b"training.lr: 1\n", "has the unknown key training.lr; write it as the group training with the key lr."),
        (b"1: 2\n", "has the unknown key 1; see `emokit settings` for the known ones."),
    ],
)
def test_a_file_that_is_not_settings_is_refused(file: Path, content: bytes, words: str) -> None:
    file.write_bytes(content)
    assert refusal(path=file) == f"{file} {words}"


def test_a_missing_file_and_a_folder_are_refused(file: Path) -> None:
    assert refusal(path=file) == f"{file} does not exist; name a YAML file of settings."
    assert refusal(path=file.parent) == f"{file.parent} is a folder, not a file; name a YAML file of settings."


def test_a_pipe_is_refused(file: Path) -> None:
    os.mkfifo(file)
    assert refusal(path=file) == f"{file} is a pipe, not a file; name a YAML file of settings."


def test_settings_are_read_from_their_own_yaml(file: Path) -> None:
    settings = Outer(name="Müller: 1e-5", training=Inner(lr=1e-5), model=Other(max_grad_norm=None))
    file.write_text(settings.as_yaml(), encoding="utf-8")
    assert Outer.read(file) == settings
    assert read_yaml_mapping(file) == settings.as_dict()


def test_the_yaml_has_every_field_in_the_order_of_the_classes() -> None:
    assert Outer().as_yaml() == (
        "name: first\ntraining:\n  max_epochs: 60\n  lr: 0.5\nmodel:\n  channels:\n  - 64\n  - 128\n  max_grad_norm: 1.0\n"
    )


def test_the_key_differs_when_and_only_when_a_value_differs() -> None:
    assert Outer().key() == Outer.read(None, ["training.max_epochs=60"]).key()
    assert re.fullmatch("[0-9a-f]{12}", Outer().key())
    assert Outer.read(None, ["training.max_epochs=61"]).key() != Outer().key()


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Outer().name = "other"  # type: ignore[misc]


def test_fields_have_dotted_names_and_their_sentence_on_one_line() -> None:
    assert fields(Outer) == {
        "name": "Name of the experiment.",
        "training.max_epochs": "Maximum number of epochs.",
        "training.lr": "Learning rate.",
        "model.channels": "Channels.",
        "model.max_grad_norm": "Largest norm.",
    }


def test_nearest_is_none_when_no_name_is_similar() -> None:
    assert nearest("ravdes", ["emodb", "ravdess"]) == "ravdess"
    assert nearest("xyz", ["emodb", "ravdess"]) is None
    assert nearest("xyz", []) is None


def test_set_dotted_makes_missing_groups() -> None:
    values: dict[str, Any] = {"a": {"x": 1}}
    set_dotted(values, "a.b.c", 2)
    assert values == {"a": {"x": 1, "b": {"c": 2}}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("training:\n  lr: 1\n  max_epochs: 2\n  lr: 2\n", "lr at line 2 and again at line 4"),
        ("a: 1\n'a': 2\n", "a at line 1 and again at line 2"),
        ("a: [{b: 1, b: 2}]\n", "b at line 1 and again at line 1"),
        ("1: a\n1.0: b\n", "1.0 at line 1 and again at line 2"),
    ],
)
def test_a_key_that_is_given_twice_is_refused_with_its_lines(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    for error_type in (UsageError, DataError):
        with pytest.raises(error_type) as error:
            read_yaml_mapping(tmp_path / "a.yaml", error_type)
        assert str(error.value) == f"{tmp_path / 'a.yaml'} has the key {words}; remove one of the two."


def test_a_key_that_is_given_twice_on_the_command_line_is_refused() -> None:
    with pytest.raises(UsageError) as error:
        parse_value("{a: 1, a: 2}", "model")
    assert str(error.value) == (
        "--set model={a: 1, a: 2} has the key a at line 1 and again at line 1; remove one of the two."
    )


def test_merge_keys_and_equal_keys_of_different_mappings_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\n")
    assert read_yaml_mapping(tmp_path / "a.yaml") == {"a": {"x": 1, "y": 2}, "b": {"x": 3, "y": 2}}


class Named(Settings):
    """Settings with names."""

    name: Name = "a"
    """A name."""
    folders: dict[Name, int] = Field(default_factory=dict)
    """Names."""


@pytest.mark.parametrize("name", ["/x/y", "..", "../x", "a/b", "a\\b", ".a", "-a", "", "a b", "größe", "a\n", "a\x1b"])
def test_a_name_that_becomes_a_path_leads_nowhere_else(name: str) -> None:
    for values, key in (({"name": name}, "name"), ({"folders": {name: 1}}, f"folders.{name}")):
        with pytest.raises(UsageError) as error:
            Named.make(values, "FILE")
        assert str(error.value) == (
            f"FILE has {key} = {name!r}, but it should have only the letters a to z, digits, '_', '.' and '-', "
            "and begin with a letter or digit."
        )


def test_names_of_letters_digits_and_marks_are_accepted() -> None:
    assert Named.make({"name": "v3_sweep-0007.b", "folders": {"7": 1}}).folders == {"7": 1}


def test_a_key_that_the_settings_of_a_run_have_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text("modality: audio\nname: a\nname: b\n")
    with pytest.raises(DataError) as caught:
        runs.read_settings(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'settings.yaml'} has the key name at line 2 and again at line 3; remove one of the two."
    )
