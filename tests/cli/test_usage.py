"""What the parser refuses is one sentence with what to do, for every command alike."""

import os
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from emokit.cli.app import app

COMMANDS = (
    "prepare",
    "train audio",
    "train text",
    "sweep",
    "predict",
    "fuse-search",
    "export",
    "report",
    "demo",
    "doctor",
    "settings",
)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("trian", "emokit has no command trian; did you mean train?"),
        ("--bogus", "emokit has no option --bogus; see `emokit --help`."),
        ("train vision", "emokit train has no command vision; choose one of audio, text."),
        ("train audio --epoch 3", "emokit train audio has no option --epoch; did you mean --epochs?"),
        (
            "train audio --epochs x",
            "--epochs was given x, but it should be a valid integer; correct it, or leave it out.",
        ),
        ("train audio --epochs", "--epochs was given without its value; write --epochs VALUE."),
        ("train audio --compile=3", "--compile was given a value and takes none; leave the value out."),
        ("train audio --lr 1 --lr 2", "--lr was given 2 times and takes one value; give it once."),
        ("predict RUN --file a.txt --file b.txt", "--file was given 2 times and takes one value; give it once."),
        ("report RUN -o a --out b", "--out was given 2 times and takes one value; give it once."),
        (
            "sweep --hours -1 x",
            "--hours was given -1, but it should be greater than or equal to 0; correct it, or leave it out.",
        ),
        ("predict", "emokit predict was given no RUN; add it, or see `emokit predict --help`."),
        ("fuse-search", "emokit fuse-search was given no NAME=PATH; add it, or see `emokit fuse-search --help`."),
        ("sweep a b", "emokit sweep was given b, which it does not take; leave it out, or see `emokit sweep --help`."),
    ],
)
def test_a_slip_is_one_sentence(line: str, sentence: str) -> None:
    result = CliRunner().invoke(app, line.split())
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"error: {sentence}\n")


@pytest.mark.parametrize("line", ["train text SETTINGS", "predict SETTINGS x", "prepare emodb --datasets SETTINGS"])
def test_a_file_that_may_not_be_read_is_named(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "it's mine.yaml"
    path.touch(mode=0o000)
    monkeypatch.setattr(os, "access", lambda name, mode: str(name) != str(path))  # the superuser may read everything
    words = [str(path) if word == "SETTINGS" else word for word in line.split()]
    result = CliRunner().invoke(app, words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"error: {path} may not be read by you; ask its owner for access.\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_refuses_an_unknown_option_in_the_same_words(command: str) -> None:
    result = CliRunner().invoke(app, [*command.split(), "--zzqx"])
    assert (result.exit_code, result.stdout, result.stderr) == (
        2,
        "",
        f"error: emokit {command} has no option --zzqx; see `emokit {command} --help`.\n",
    )


def test_options_that_take_several_values_and_flags_may_be_repeated() -> None:
    assert "was given 2 times" not in CliRunner().invoke(app, ["train", "audio", "--set", "a=1", "--set", "b=1"]).stderr
    assert "was given 2 times" not in CliRunner().invoke(app, ["predict", "none", "--json", "--json"]).stderr


def test_a_group_without_a_command_shows_its_help() -> None:
    for words in ([], ["train"]):
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 2
        assert "Commands:" in result.output


def test_no_command_leaves_the_check_of_a_path_to_the_parser() -> None:
    root = typer.main.get_command(app)
    context = root.make_context("emokit", ["doctor"])
    for name in root.list_commands(context):
        for param in root.get_command(context, name).params:
            assert not getattr(getattr(param, "type_descriptor", None), "is_file", False), (name, param.name)
