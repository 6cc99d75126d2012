"""Own data with mistakes: one sentence each, and nothing is written; what is only unusual is prepared and noted."""

import json
from pathlib import Path
from typing import Any

import numpy
import pytest
import soundfile
from typer.testing import CliRunner

from emokit.cli.app import app

pytestmark = pytest.mark.end_to_end


def run(folder: Path, table: str, *words: str, name: str = "calls") -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `emokit prepare` of a table in a folder with three recordings."""
    for number, rate in enumerate((16_000, 16_000, 44_100)):
        (folder / "wav").mkdir(exist_ok=True)
        noise = numpy.random.default_rng(number).uniform(-0.5, 0.5, rate // 5)
        soundfile.write(folder / "wav" / f"{number}.wav", noise, rate)
    (folder / "a.csv").write_text(table)
    command = ["prepare", f"{name}={folder / 'a.csv'}", "--out", str(folder / "out"), *words, "--workers", "1"]
    result = CliRunner().invoke(app, command)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr.replace(f"{folder}/", "")


TEXTS = "text,label\n" + "".join(f"{label} {number},{label}\n" for number in range(5) for label in ("joy", "anger"))


@pytest.mark.parametrize(
    ("table", "words", "code", "sentence"),
    [
        (
            "text,feeling\nHi,joy\n", [], 2,
            "a.csv has no column of labels, its columns are text, feeling; name it with --columns label=NAME.",
        ),
        (
            "text,emotions\nHi,joy\n", [], 2,
            "a.csv has no column of labels, its columns are text, emotions; name it with --columns label=emotions.",
        ),
        (
            TEXTS, ["--labels", "anger,fear"], 3,
            "calls has labels outside the label set anger, fear: joy (as in calls/02); add them to --labels, or map them "
            "with --map RAW=LABEL, or RAW=null to leave them out.",
        ),
        (
            TEXTS, ["--map", "love=joy"], 2,
            "--map love=joy maps nothing: the raw labels are anger, joy; name one of them.",
        ),
        (
            "path,label\n1.wav,joy\n2.wav,anger\n", [], 3,
            "a.csv: none of its paths (2 rows) is that of a file below {root}, the first is 1.wav, though there is wav/1.wav; "
            "name the folder that the paths are relative to with --audio-root.",
        ),
        (
            "path,label\n../1.wav,joy\n/etc/passwd,anger\n", [], 3,
            "a.csv: its paths (2 rows) lead out of {root}, the first is ../1.wav; "
            "name the folder that holds all recordings with --audio-root, and write paths relative to it.",
        ),
        (
            "utterance_id,text,label\nu,a,joy\nv,b,anger\nu,c,anger\n", [], 3,
            "a.csv has the utterance_id u 2 times (a.csv, row 2, a.csv, row 4); give each row its own, or leave the column "
            "out with --columns utterance_id=.",
        ),
        (
            "text,path,label\n,,joy\n , ,anger\n", [], 3,
            "a.csv: none of its rows can be used (2 rows: neither a path nor a text); "
            "correct the table, or name other columns with --columns.",
        ),
        (
            "text,label,split\na,joy,fold1\nb,anger,fold2\n", [], 3,
            "a.csv has the splits fold1, fold2 in its column split, expected train, dev and test (val, valid, validation, "
            "development, eval and evaluation count as dev); rename them, or leave the column out with --columns split=.",
        ),
        ("text,label\na,joy\nb,joy\n", [], 2,
         "Found the labels joy where two or more were expected; name the column of the labels with --columns label=NAME, or "
         "the label set with --labels."),
        ("", [], 3, "a.csv has no header; write a first line with the names of its columns."),
        ("text,label\n", [], 3, "a.csv has no rows; write one utterance per row."),
        (
            TEXTS, ["--split", "official"], 2,
            "calls has no split and no fold of its own; choose --split calls=speaker, dialogue or stratified.",
        ),
        (
            TEXTS, ["--split", "speaker"], 2,
            "--split calls=speaker needs speakers, and calls states none; name their column with --columns speaker=NAME, or "
            "choose one of auto, official, dialogue, stratified, sentence, leave-one-corpus-out, train, dev, test.",
        ),
        (
            TEXTS, ["--split", "dialogue"], 2,
            "calls names no dialogue of its utterances, so no dialogue can be held out; name another --split.",
        ),
        (TEXTS, ["--show-labels"], 2, "--out out was given with --show-labels, which only prints labels; leave it out."),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_and_nothing_is_written(
    tmp_path: Path, table: str, words: list[str], code: int, sentence: str
) -> None:
    exit_code, stdout, stderr = run(tmp_path, table, *words)
    assert (exit_code, stdout, stderr) == (code, "", f"error: {sentence.format(root=tmp_path)}\n")
    assert not (tmp_path / "out").exists()


def test_the_name_of_a_known_corpus_is_refused(tmp_path: Path) -> None:
    assert run(tmp_path, TEXTS, name="emodb") == (
        2, "", "error: emodb=a.csv gives your data the name emodb, which is that of a corpus that emokit knows; "
        "choose another name, or name that corpus's folder with --root emodb=DIR.\n",
    )  # fmt: skip


def prepared(folder: Path, table: str, *words: str) -> dict[str, Any]:
    """The ledger of a table that is prepared."""
    code, stdout, stderr = run(folder, table, *words, "--json")
    assert code == 0, stderr
    entry: dict[str, Any] = json.loads(stdout)["corpora"]["calls"]
    return entry


def test_single_bad_rows_are_in_the_ledger_with_their_numbers(tmp_path: Path) -> None:
    rows = ("wav/0.wav,joy", "wav/9.wav,joy", "../1.wav,joy", "wav/1.wav,anger", "wav/2.wav,")
    entry = prepared(tmp_path, "path,label\n" + "\n".join(rows) + "\n")
    assert entry["dropped"] == {
        "no file at its path": ["a.csv, row 3"],
        "no label": ["a.csv, row 6"],
        "path outside the root": ["a.csv, row 4"],
    }
    assert (entry["found"], entry["kept"]) == (5, 2)
    assert entry["skipped"] == {"an audio file that the table does not name": ["wav/2.wav"]}


def test_mixed_sample_rates_and_a_label_with_one_utterance_are_noted(tmp_path: Path) -> None:
    entry = prepared(tmp_path, "path,label\nwav/0.wav,joy\nwav/1.wav,anger\nwav/2.wav,anger\n")
    assert (
        "recordings of 2 sample rates, all are resampled for the features: 16000 Hz (2), 44100 Hz (1)" in entry["notes"]
    )
    assert "no joy in test: it has 1 utterance" in entry["notes"]


def test_a_table_without_dev_gets_it_from_train(tmp_path: Path) -> None:
    rows = "".join(
        f"{label} {n},{label},{'test' if n > 7 else 'train'}\n" for n in range(10) for label in ("joy", "anger")
    )
    entry = prepared(tmp_path, "text,label,split\n" + rows)
    assert {name: split["utterances"] for name, split in entry["splits"].items()} == {"train": 12, "dev": 4, "test": 4}
    assert "no dev in its own split, so drawn from train: stratified by label" in entry["notes"]


def test_a_label_of_one_speaker_is_noted(tmp_path: Path) -> None:
    rows = "".join(f"{n},{'joy' if n % 4 else 'fear' if n == 0 else 'anger'},s{n % 5}\n" for n in range(40))
    entry = prepared(tmp_path, "text,label,speaker\n" + rows)
    assert any(note.startswith("no fear in ") and note.endswith("1 utterance of 1 speaker") for note in entry["notes"])
