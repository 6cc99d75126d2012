"""The front door: help, version, settings, doctor, report's errors."""

import pytest
from typer.testing import CliRunner

from emokit import __version__
from emokit.cli.app import app

runner = CliRunner()


def test_the_version_is_shown():
    result = runner.invoke(app, ["--version"])
    assert (result.exit_code, result.stdout.strip()) == (0, __version__)


@pytest.mark.parametrize(
    "command", ["prepare", "train", "predict", "fuse-search", "export", "report", "demo", "doctor", "settings"]
)
def test_every_command_has_a_help_page(command):
    result = runner.invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_a_command_that_does_not_exist_is_the_users_slip():
    assert runner.invoke(app, ["trian"]).exit_code == 2
