"""A user's own data: every command of docs/own-data.md, and EmoDB as a table and as folders."""

import csv
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import soundfile
from typer.testing import CliRunner, Result

from emokit.cli.app import app
from emokit.data.prepared import Prepared, open_prepared
from emokit.data.sources.corpora import emodb
from emokit.data.utterance import Utterance
from tests.transcription.conftest import SPOKEN, sound, whisper  # noqa: F401  a fixture

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "own-data.md").read_text(encoding="utf-8")
LABELS = ("happy", "angry", "neutral")
MAPS = ("anger=angry", "happiness=happy", "sadness=sad", "boredom=null")


def run(*words: object) -> Result:
    """A command that succeeds."""
    result = CliRunner().invoke(app, [*map(str, words)])
    assert result.exit_code == 0, f"{words}\n{result.output}"
    return result


def write(path: Path, header: str, rows: list[tuple[object, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header.split(","), *rows])


@pytest.fixture
def folder(tmp_path: Path, whisper: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    """A working folder with the data that the guide names: 36 recordings of six speakers, texts, a YAML file, a Whisper."""
    names = []
    for number in range(36):
        label, name = LABELS[number % 3], f"call_{number + 1:02d}.wav"
        waveform = sound(list(SPOKEN)[number % 3], 1.4 + number / 500)
        for path in (tmp_path / "recordings" / name, tmp_path / "sorted" / label / name):
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, waveform, 16_000)
        names.append((name, label, f"s{number // 3 % 6}"))
    write(tmp_path / "labels.csv", "file,emotion,speaker", names)
    labels = ("joy", "anger", "love", "fear")
    texts = [(f"{label} number {number}", label) for number in range(15) for label in labels]
    write(tmp_path / "texts.csv", "comment,label", texts)
    for name, rows in (("train", texts[:40]), ("dev", texts[40:48]), ("test", texts[48:])):
        write(tmp_path / f"{name}.csv", "text,label", rows)
    write(tmp_path / "ratings.csv", "text,rater1,rater2,rater3", [(text, label, "joy", label) for text, label in texts])
    (yaml,) = re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL)
    (tmp_path / "my.yaml").write_text(yaml)
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments")
    shutil.copytree(whisper, tmp_path / "whisper-base")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMOKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_every_command_of_the_guide_runs(folder: Path) -> None:
    commands = [line[4:] for line in GUIDE.splitlines() if line.startswith("    emokit ")]
    for command in commands:
        run(*shlex.split(command)[1:])
    tables = {path.name: open_prepared(path).table for path in folder.glob("prepared*")}
    assert len(tables) == sum("emokit prepare" in command for command in commands)
    assert tables["prepared"].groupby("speaker")["split"].nunique().max() == 1
    for name in ("prepared-again", "prepared-from-csv"):
        columns = ["speaker", "label", "split"]
        assert tables[name][columns].equals(tables["prepared"][columns])
    assert set(tables["prepared-joy"]["label"]) == {"joy", "angry", "neutral"}
    assert set(tables["prepared-two"]["label"]) == {"joy", "anger"}
    assert set(tables["prepared-calls"]["label"]) == {"joy", "angry"}
    assert dict(tables["prepared-reviews"]["split"].value_counts()) == {"train": 40, "test": 12, "dev": 8}
    assert set(tables["prepared-train"]["split"]) == {"train"}
    assert tables["prepared-spoken"]["text_source"].value_counts().to_dict() == {"transcript": 36}
    assert set(tables["prepared-sorted"]["split"]) == {"train", "dev", "test"}


def test_that_train_and_test_may_share_speakers_is_in_ledger_run_and_report(folder: Path) -> None:
    sentence = (
        "no speakers are named: each utterance counts as a speaker of its own, so train and test may share speakers"
    )
    shown = run("prepare", "calls=sorted", "--out", "prepared")
    assert f"calls: {sentence}" in shown.stderr.splitlines()
    run("train", "audio", "functionals", "--data", "prepared", "--run", "run")
    run("report", "run", "--out", "report")
    assert sentence in (folder / "run" / "ledger.json").read_text()
    assert sentence in (folder / "report" / "index.html").read_text()


def described(prepared: Prepared) -> list[list[Any]]:
    """What the utterances of a prepared EmoDB say of themselves, without the names of the corpus."""
    columns = ["speaker", "gender", "language", "text", "raw_label", "label", "sentence", "duration_seconds", "split"]
    table = prepared.table.assign(name=prepared.table["utterance_id"].str.partition("/")[2])
    return table[["name", *columns, "recording"] if "recording" in table else ["name", *columns]].values.tolist()


def features(prepared: Prepared) -> dict[str, bytes]:
    (path,) = (prepared.folder / "features").iterdir()
    store = prepared.store(path.name)
    return {name.partition("/")[2]: store[name].tobytes() for name in store}


@pytest.mark.corpus
def test_emodb_as_a_table_and_as_folders_has_the_same_utterances_and_features(tmp_path: Path, corpora: Path) -> None:
    root = corpora / "emodb"
    utterances = [entry for entry in emodb.read(root, {}) if isinstance(entry, Utterance)]
    header = "file;emotion;speaker;gender;language;transcript;code"
    lines = [f"{u.path};{u.raw_label};{u.speaker};{u.gender};{u.language};{u.text};{u.sentence}" for u in utterances]
    (tmp_path / "emo.csv").write_bytes("\r\n".join([header, *lines]).encode("cp1252"))
    for utterance in utterances:
        path = tmp_path / "folders" / utterance.raw_label / Path(str(utterance.path)).name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(root / str(utterance.path))
    maps = [word for text in MAPS for word in ("--map", text)]
    table = [f"mine={tmp_path / 'emo.csv'}", "--audio-root", root, "--columns", "sentence=code", *maps]
    run("prepare", "emodb", "--root", f"emodb={root}", "--out", tmp_path / "corpus")
    run("prepare", *table, "--out", tmp_path / "table")
    original, own = open_prepared(tmp_path / "corpus"), open_prepared(tmp_path / "table")
    splits = original.table.assign(utterance_id="mine/" + original.table["utterance_id"].str.partition("/")[2])
    write(tmp_path / "split.csv", "utterance_id,split", splits[["utterance_id", "split"]].values.tolist())
    folders = [f"mine={tmp_path / 'folders'}", "--split", tmp_path / "split.csv", *maps]
    run("prepare", *folders, "--out", tmp_path / "sorted")
    sorted_ = open_prepared(tmp_path / "sorted")
    assert len(own.table) == 454
    assert described(own) == described(original)
    assert sorted_.table[["label", "split"]].equals(original.table[["label", "split"]])
    assert features(own) == features(original) == features(sorted_)


@pytest.mark.corpus
def test_carer_is_prepared_with_its_six_labels_in_one_command(tmp_path: Path, corpora: Path) -> None:
    tables = ",".join(str(corpora / "carer" / f"{name}.csv") for name in ("train", "dev", "test"))
    run("prepare", f"carer={tables}", "--out", tmp_path / "out")
    prepared = open_prepared(tmp_path / "out")
    assert prepared.labels == ("anger", "fear", "joy", "love", "sadness", "surprise")
    entry = prepared.ledger["corpora"]["carer"]
    assert {split: counts["utterances"] for split, counts in entry["splits"].items()} == {
        "train": 15_991, "dev": 2_000, "test": 1_000,
    }  # fmt: skip
    assert len(entry["dropped"]["the same text as in dev or test"]) == 9
