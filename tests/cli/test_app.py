"""The command `emokit` itself: help, version, unknown commands."""

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from emokit import __version__
from emokit.cli import console
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
            "emokit.api.prepare.corpora_of",
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
        (
            ["fuse-search", "a=RUN", "b=RUN"],
            "emokit.fusion.late.run.fuse",
            "search with a larger --step and fewer --resamples",
        ),
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


@pytest.mark.parametrize(
    ("bug", "what"),
    [
        (OSError(9, "Bad file descriptor"), "OSError: [Errno 9] Bad file descriptor"),
        (ValueError("odd at https://ann:s3cret@host"), "ValueError: odd at https://***@host"),
        (AssertionError(), "AssertionError"),
    ],
)
@pytest.mark.parametrize("shown", ["1", ""])
def test_a_bug_is_a_sentence_that_says_where_its_traceback_is(
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    bug: Exception,
    what: str,
    shown: str,
) -> None:
    monkeypatch.setenv("EMOKIT_TRACEBACK", shown)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(typer.Exit) as caught, console.exit_codes():
        raise bug
    assert caught.value.exit_code == 1
    printed = capfd.readouterr()
    *above, sentence = printed.err.splitlines()
    trace = "\n".join(above)
    if not shown:
        assert not above
        trace = next(tmp_path.iterdir()).read_text(encoding="utf-8")
        assert (
            sentence
            == f"error: emokit has a bug ({what}); report it with {next(tmp_path.iterdir())}, which has its traceback."
        )
    else:
        assert sentence == f"error: emokit has a bug ({what}); report it with the traceback above."
        assert list(tmp_path.iterdir()) == []
    assert trace.startswith("Traceback (most recent call last):\n")
    assert what in trace
    assert "s3cret" not in printed.err + trace


def test_a_bug_on_a_full_disk_shows_its_traceback(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", full)
    with pytest.raises(typer.Exit), console.exit_codes():
        raise ValueError("odd")
    assert capfd.readouterr().err.splitlines()[-2:] == [
        "ValueError: odd",
        "error: emokit has a bug (ValueError: odd); report it with the traceback above.",
    ]


def test_a_pipe_that_is_closed_behind_the_command_is_no_bug() -> None:
    with pytest.raises(typer.Exit) as end, console.exit_codes():
        raise BrokenPipeError
    assert end.value.exit_code == 141  # as the shell counts a process that a closed pipe ended


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (
            "settings text > /dev/full",
            4,
            "error: Standard output cannot be written (No space left on device); free some space, or send it to another file.\n",
        ),
        ("settings text >&-", 0, ""),
        ("settings text 2>&- > /dev/null", 0, ""),
        ("train text none 2> /dev/full", 2, ""),
        ("settings text | true", 0, ""),
    ],
)
def test_a_stream_that_cannot_be_written_is_no_bug(line: str, code: int, words: str) -> None:
    command = f"{sys.executable} -m emokit {line}"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (code, "", words)


def test_a_working_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    command = f"rmdir {folder}; {sys.executable} -m emokit prepare emodb --root emodb=x"
    environment = os.environ | {"PYTHONPATH": str(Path(console.__file__).parents[2])}
    result = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (
        2,
        "error: The working folder does not exist any more; change to another one.\n",
    )


def test_an_output_without_unicode_gets_escapes_and_json_stays_json(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    console.prepare_streams()
    console.show("caf\u00e9 \u2603")
    console.show_json({"text": "\U0001f600"})
    assert raw.getvalue() == b'caf\\xe9 \\u2603\n{"text": "\\ud83d\\ude00"}\n'


def test_a_backend_that_matplotlib_does_not_know_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MPLBACKEND", "nope")
    command = [sys.executable, "-m", "emokit", "report", str(tmp_path), "--out", str(tmp_path / "out")]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (
        3,
        f"error: {tmp_path} has no settings.yaml, so it is no run folder; name one that `emokit train` made.\n",
    )
