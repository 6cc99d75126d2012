"""Paths that cannot be used, in every command that takes one: a sentence, and never a traceback."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from emokit.cli.app import app

COMMANDS = (
    "train text tfidf --data @",
    "train text @ --data prepared",
    "predict @ a.wav",
    "report @",
    "report --compare @ other",
    "export @",
    "fuse-search a=@ b=@ --run run",
    "fuse-search a=@ b=@ --settings @",
    "sweep @",
    "sweep --status @",
    "sweep --resume @",
    "sweep demo_sweep --data @ --run run",
    "prepare emodb --root emodb=@ --out out",
    "prepare emodb --datasets @ --out out",
    "prepare ravdess --root ravdess=corpora --out @",
    "prepare ravdess --download @",
    "demo --out @",
)
PATHS = {
    "too long": "a" * 300,
    "too deep": "/".join(["d" * 200] * 30),
    "below a file": "file/x",
    "a file": "file",
    "/proc": "/proc/emokit",
    "a loop": "loop",
    "below a loop": "loop/x",
}


@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.parametrize("kind", PATHS)
def test_a_path_that_cannot_be_used_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("x")
    Path("loop").symlink_to("loop")
    Path("corpora").mkdir()
    result = CliRunner().invoke(app, [word.replace("@", PATHS[kind]) for word in words.split()])
    assert result.exit_code in (2, 3, 4), repr(result.exception)
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("error: ")


def test_a_path_without_access_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("emokit.files.resource", refuse)
    result = CliRunner().invoke(app, ["demo", "--out", "locked"])
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (
        2,
        "error: experiments cannot be used (Permission denied); name another path, or get access to this one.",
    )


def test_nul_in_a_corpus_root_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["prepare", "emodb", "--root", "emodb=x\0y", "--out", "out"])
    assert result.exit_code in (2, 3), repr(result.exception)
    assert result.stderr.count("\n") == 1
