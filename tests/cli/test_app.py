"""The command `emokit` itself: help, version, unknown commands."""

import pytest
from typer.testing import CliRunner

from emokit import __version__
from emokit.cli.app import app

runner = CliRunner()


def test_the_version_is_shown():
    result = runner.invoke(app, ["--version"])
    assert (result.exit_code, result.stdout.strip()) == (0, __version__)


@pytest.mark.parametrize(
    "command", ["prepare", "train", "sweep", "predict", "fuse-search", "export", "report", "demo", "doctor", "settings"]
)
def test_every_command_has_a_help_page(command):
    result = runner.invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_an_unknown_command_is_a_users_error():
    assert runner.invoke(app, ["trian"]).exit_code == 2
    assert runner.invoke(app, ["train", "vision"]).exit_code == 2


def test_the_options_of_modalities_are_in_the_help_of_their_commands():
    predict = runner.invoke(app, ["predict", "--help"]).stdout
    assert all(flag in predict for flag in ("--timestamps", "--file", "--text", "--trust-remote-code"))
    audio, text = (runner.invoke(app, ["train", name, "--help"]).stdout for name in ("audio", "text"))
    assert "--trust-remote-code" in text
    assert "--trust-remote-code" not in audio
    assert "Train an ACRNN" in runner.invoke(app, ["train", "--help"]).stdout
