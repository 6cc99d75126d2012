"""Every command of the README is run, in its order: on small synthesised corpora, and trainings for one epoch."""

import io
import re
import shlex
import shutil
from pathlib import Path

import pytest
import soundfile
import yaml
from typer.testing import CliRunner

from emokit.cli.app import app
from emokit.data.synthesis.corpora import write_corpus
from tests.audio.conftest import write_encoder
from tests.transcription.conftest import whisper, write_sound  # noqa: F401  a fixture

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
# Not run here, each with the reason.
NOT_RUN = {
    "make demo": "tests/end_to_end/test_demo.py runs the command that it calls",
    "make test": "runs this test",
    "emokit train audio acrnn --data prepared --compile": "compiling takes minutes; bench/train.py does it",
    "accelerate launch --num_processes 4 -m emokit train audio acrnn --data prepared": (
        "tests/training/test_distributed.py trains in two processes"
    ),
}
SWEEP = {
    "name": "v3_sweep",
    "experiment": {"modality": "audio", "settings": {"model.kind": "functionals"}},
    "space": {"data.window_seconds": {"grid": [1.5, 3.0]}},
    "confirm": {"best": 0},
}


def commands() -> list[str]:
    """The commands of the README's indented blocks, without comments."""
    lines = [line[4:] for line in README.splitlines() if line.startswith("    ") and not line.startswith("     ")]
    return [re.split(r"\s+#\s", line)[0].strip() for line in lines if not line.lstrip().startswith(("for ", "print"))]


@pytest.fixture
def folder(tmp_path, whisper, monkeypatch):  # noqa: F811
    """A working folder with small corpora, the experiments, a recording, a tiny speech encoder and a tiny Whisper."""
    for name, size in (("emodb", 0.3), ("ravdess", 0.3), ("meld", 0.3), ("goemotions", 0.1)):
        write_corpus(name, tmp_path / name, size=size)
    write_own_data(tmp_path)
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments")
    (tmp_path / "experiments" / "audio" / "v3_sweep.yaml").write_text(yaml.safe_dump(SWEEP))
    write_sound(tmp_path / "some.wav", "low")
    write_encoder("wav2vec2", tmp_path / "encoder")
    shutil.copytree(whisper, tmp_path / "whisper")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_own_data(folder):
    """Recordings of six speakers, copied from a small EmoDB, and a table of them."""
    (folder / "recordings").mkdir()
    rows = ["file,emotion,speaker"]
    for path in sorted((folder / "emodb").rglob("*.wav")):
        shutil.copy(path, folder / "recordings")
        rows.append(f"{path.name},{path.stem[5]},{path.stem[:2]}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")


def words_of(command: str) -> list[str]:
    """The words after `emokit`, with the placeholders filled in and trainings shortened."""
    command = re.sub(r"(\w+)=DIR", lambda match: f"{match[1]}={'encoder' if match[1] == 'name' else match[1]}", command)
    words = shlex.split(command)[1:]
    without_epochs = ("functionals", "whisper_probe", "tfidf", "best.yaml")  # the sweep of the README is of functionals
    if words[0] == "train" and not any(name in command for name in without_epochs):
        words += ["--epochs", "1", "--batch-size", "8"]
    return words


def test_every_command_of_the_readme_runs(folder):
    runner, done = CliRunner(), []
    for command in commands():
        if command in NOT_RUN:
            continue
        standard_input = None
        if "|" in command:
            _, command = command.split(" | ")
            recording = io.BytesIO()
            soundfile.write(recording, *soundfile.read(folder / "some.wav"), format="WAV")
            standard_input = recording.getvalue()
        assert command.startswith("emokit "), command
        result = runner.invoke(app, words_of(command), input=standard_input)
        assert result.exit_code == 0, f"{command}\n{result.output}"
        done.append(command.split()[1])
    assert set(done) == {
        "doctor", "prepare", "train", "predict", "report", "export", "push", "fuse-search", "sweep", "transcribe"
    }  # fmt: skip
    (python,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    exec(compile(python, "README.md", "exec"), {})


def test_what_is_not_run_is_in_the_readme():
    assert set(NOT_RUN) <= set(commands())


def test_every_path_of_the_readme_exists():
    named = re.findall(r"`((?:experiments|docs)/[\w./-]+)`|\]\(([\w./-]+)\)", README)
    missing = [path for pair in named for path in pair if path and not (ROOT / path).exists()]
    assert missing == []
