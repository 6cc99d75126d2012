"""--force deletes no folder that is, or holds, an input of the command, whichever command it is."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emokit.cli.app import app

pytestmark = pytest.mark.end_to_end
SPACE = "experiment: {modality: text, settings: {model: {kind: tfidf}}}\nspace: {data.context_turns: {grid: [0, 1]}}\n"


@pytest.fixture
def folder(small_prepared: Path, modality_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that has a prepared folder, an experiment, a space, a model and a run inside of it."""
    run = shutil.copytree(modality_runs / "text", tmp_path / "run")
    shutil.copytree(small_prepared, run / "data")
    shutil.copytree(small_prepared, tmp_path / "data")
    shutil.copytree(modality_runs / "audio", run / "audio")
    shutil.copytree(modality_runs / "audio", tmp_path / "audio")
    (run / "e.yaml").write_text("model: {kind: tfidf}\n")
    (run / "space.yaml").write_text(SPACE)
    (tmp_path / "space.yaml").write_text(SPACE)
    (tmp_path / "inner.yaml").write_text(SPACE.replace("kind: tfidf", "kind: pretrained, name: run/model"))
    (run / "fuse.yaml").write_text("name: fused\n")
    for mark in ("index.html", "emokit.json"):
        (run / mark).write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("train text tfidf --data run/data --run run", "run has run/data in it"),
        ("train text run/e.yaml --data data --run run", "run has run/e.yaml in it"),
        ("train text --data data --set model.name=run/model --run run", "run has run/model in it"),
        ("train audio --data data --set model.name=run --run run", "run is an input of the command"),
        ("train text tfidf --data run/data --run run --folds leave-one-speaker-out", "run has run/data in it"),
        ("sweep space.yaml --data run/data --run run", "run has run/data in it"),
        ("sweep run/space.yaml --data data --run run", "run has run/space.yaml in it"),
        ("sweep inner.yaml --data data --run run", "run has run/model in it"),
        ("fuse-search a=run/audio b=audio --run run", "run has run/audio in it"),
        ("fuse-search a=audio b=run --run run", "run is an input of the command"),
        ("fuse-search a=audio b=audio --settings run/fuse.yaml --run run", "run has run/fuse.yaml in it"),
        ("export run/audio --out run", "run has run/audio in it"),
    ],
)
def test_an_input_is_not_deleted(folder: Path, line: str, sentence: str) -> None:
    before = sorted(folder.rglob("*"))
    flag = "--out" if line.startswith("export") else "--run"
    result = CliRunner().invoke(app, [*line.split(), "--force"])
    assert (result.exit_code, result.stderr.splitlines()[-1:]) == (
        2,
        [f"error: {sentence}, which --force would delete; name another {flag}."],
    )
    assert sorted(folder.rglob("*")) == before


def test_a_report_does_not_delete_its_runs(folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    result = CliRunner().invoke(app, ["report", "run/audio", "--out", "run", "--force"])
    assert (result.exit_code, result.stderr) == (
        2,
        "error: run contains the run run/audio, which is to be reported; name another folder for the report.\n",
    )
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("line", "mark", "name"),
    [
        ("train audio --data data --set model.kind=functionals --run out", "settings.yaml", "thesis.txt"),
        ("train text tfidf --data data --run out --dry-run", "settings.yaml", "recordings"),
        ("sweep space.yaml --data data --run out", "settings.yaml", "thesis.txt"),
        ("fuse-search a=audio b=audio --run out", "settings.yaml", "recordings"),
        ("report audio --out out", "index.html", "thesis.txt"),
        ("export audio --out out", "emokit.json", "thesis.txt"),
        ("export data --format csv --out out", "utterances.csv", "recordings"),
        ("export data --format datasets --out out", "dataset_dict.json", "thesis.txt"),
        ("export data --format audiofolder --out out", "train/metadata.jsonl", "thesis.txt"),
        ("demo --out out", ".emokit-demo", "thesis.txt"),
    ],
)
def test_a_file_that_emokit_did_not_write_is_not_deleted(folder: Path, line: str, mark: str, name: str) -> None:
    (folder / "out" / mark).parent.mkdir(parents=True)
    (folder / "out" / mark).touch()
    (folder / "out" / name).mkdir() if name == "recordings" else (folder / "out" / name).touch()
    before = sorted((folder / "out").rglob("*"))
    result = CliRunner().invoke(app, [*line.split(), "--force"])
    assert (result.exit_code, result.stderr.splitlines()[-1:]) == (
        2,
        [
            f"error: out/{name} is no part of the result that --force deletes; move it out of out, or name another "
            "folder."
        ],
    )
    assert sorted((folder / "out").rglob("*")) == before
