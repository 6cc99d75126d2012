"""The command `emokit` itself: help, version, unknown commands."""

import errno

import pytest
from typer.testing import CliRunner

from emokit import __version__
from emokit.cli.app import app

runner = CliRunner()


def test_the_version_is_shown():
    result = runner.invoke(app, ["--version"])
    assert (result.exit_code, result.stdout.strip()) == (0, __version__)


@pytest.mark.parametrize(
    "command",
    ["prepare", "train", "sweep", "predict", "fuse-search", "export", "push", "report", "demo", "doctor", "settings"],
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


FULL = [
    MemoryError(),
    RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
]


@pytest.mark.parametrize("error", FULL, ids=str)
@pytest.mark.parametrize(
    ("words", "work", "advice"),
    [
        (
            ["predict", "RUN", "a.wav"],
            "emokit.modality.registry.find",
            "predict fewer or shorter inputs at once, or compute on another --device",
        ),
        (
            ["prepare", "emodb"],
            "emokit.data.catalogue.read_catalogue",
            "files that were read are kept, continue with --workers 1",
        ),
        (
            ["train", "audio"],
            "emokit.data.prepared.open_prepared",
            "train with fewer --workers, a smaller --batch-size or a smaller model, or add --resume when memory is free",
        ),
        (
            ["sweep", "--status", "RUN"],
            "emokit.sweep.run.read_plan",
            "continue with `emokit sweep --resume RUN` and fewer --workers",
        ),
        (["fuse-search", "a=RUN"], "emokit.fusion.late.run.fuse", "search with a larger --step and fewer --resamples"),
        (["report", "RUN"], "emokit.report.page.build.build", "name fewer runs"),
        (["export", "RUN"], "emokit.runs.check_complete", "free memory and run the command again"),
    ],
)
def test_a_full_memory_costs_one_sentence_that_says_what_to_lower(monkeypatch, error, words, work, advice):
    def full(*_, **__):
        raise error

    monkeypatch.setattr(work, full)
    result = runner.invoke(app, words)
    assert (result.exit_code, result.stdout, result.stderr) == (4, "", f"error: Out of memory; {advice}.\n")
