"""Damaged copies of the files that commands read: each is used, or refused in a sentence, and none takes long.

With EMOKIT_FUZZ=1000 that many copies, and pages of runs; else a few of each kind. A copy depends on its number only.
"""

import os
import random
import re
import shutil
import signal
from functools import partial
from pathlib import Path

import numpy
import pandas
import pytest
import soundfile
from typer.testing import CliRunner

from emokit import predictions
from emokit.cli.app import app
from emokit.files import write_json
from tests.kills.conftest import _one_thread, in_a_child  # noqa: F401 - a fixture of every test here
from tests.report.test_read_sweeps import studied

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(3600)]
NUM_COPIES = int(os.environ.get("EMOKIT_FUZZ", "63"))
MAX_SECONDS = 30
AUDIO = ("wav", "flac", "ogg", "mp3", "aiff")
QUICK = "--step 0.5 --resamples 100 --set fusion.folds=2 --run NEW"
DRY_RUN = "--data prepared --run NEW --dry-run"
REPORTS = ("report {} --out NEW", "report {} --format json")[NUM_COPIES < 100 :]  # a page takes a second
# File -> the commands that read it. NEW is a folder or file to make.
READERS = {
    **{f"a.{kind}": ("predict audio a." + kind + " --timestamps",) for kind in AUDIO},
    "audio.yaml": (f"train audio audio.yaml {DRY_RUN}",),
    "text.yaml": (f"train text text.yaml {DRY_RUN}",),
    "fusion.yaml": ("fuse-search a=audio b=text --settings fusion.yaml --run NEW --dry-run",),
    "audio/settings.yaml": (*(words.format("audio text") for words in REPORTS), "predict audio a.wav"),
    "prepared/utterances.parquet": ("predict text --data prepared --split dev --out NEW.csv",),
    "prepared/ledger.json": (f"train text text.yaml {DRY_RUN}",),
    "audio/predictions/dev.parquet": (f"fuse-search a=audio b=text {QUICK}",),
    "audio/predictions/test.parquet": (f"fuse-search a=audio b=text {QUICK}", "report --compare audio text"),
    "audio/metrics.json": (*(words.format("audio text") for words in REPORTS), "predict audio a.wav"),
    "audio/ledger.json": tuple(words.format("audio") for words in REPORTS),
    "audio/environment.json": (*(words.format("audio") for words in REPORTS), "report --compare audio text"),
    "audio/log.jsonl": tuple(words.format("audio") for words in REPORTS),
    "late-fusion/fusion.json": (
        *(words.format("late-fusion") for words in REPORTS),
        "predict late-fusion a.wav --text No",
    ),
    "sweep/sweep.json": tuple(words.format("sweep") for words in REPORTS),
    "texts.csv": ("predict text --file texts.csv", "predict text --file texts.csv --out NEW.csv"),
    "table.csv": (f"fuse-search a=table.csv b=text {QUICK}",),
}
EXTREMES = ("0", "-1", "1e308", "-1e308", "1e-320", "9" * 30, "9" * 5000, "NaN", "Infinity", "null", "true", '""', "[]")
EXTREMES += ("{}", '"\\ud800"', "1e999", "2024-99-99", "-9223372036854775809")


@pytest.fixture
def originals(
    tmp_path: Path, modality_runs: Path, small_prepared: Path, monkeypatch: pytest.MonkeyPatch, text_settings: dict
) -> Path:
    """A folder with every file of `READERS`."""
    folder = shutil.copytree(modality_runs, tmp_path / "originals")
    monkeypatch.chdir(folder)
    shutil.copytree(small_prepared, "prepared")
    shutil.copy("audio/settings.yaml", "audio.yaml")
    shutil.copy("text/settings.yaml", "text.yaml")
    shutil.copy("late-fusion/settings.yaml", "fusion.yaml")
    waves = 0.3 * numpy.sin(numpy.arange(48_000) / 9)
    for kind in AUDIO:
        soundfile.write(f"a.{kind}", waves, 16_000)
    Path("sweep").mkdir()
    write_json(Path("sweep/sweep.json"), studied())
    Path("texts.csv").write_text('number,text\n1,"gross, really"\n2,I love 20 of them\n3,"a ""quoted"" word"\n')
    splits = [predictions.read(Path(f"audio/predictions/{split}.parquet")) for split in ("dev", "test")]
    both = pandas.concat([split.table for split in splits], ignore_index=True)
    predictions.write(predictions.Predictions(both, splits[0].labels), Path("table.csv"))
    return folder


def damaged(content: bytes, dice: random.Random) -> bytes:
    """One to three mutations of a file."""
    for _ in range(dice.randint(1, 3)):
        start = dice.randrange(len(content) or 1)
        end = start + dice.choice((1, 4, 40, 400))
        head, block, tail = content[:start], content[start:end], content[end:]
        numbers = list(re.finditer(rb"-?\d+(\.\d+)?", content)) if b"\0" not in content else []
        chance = dice.randrange(14 if numbers else 7)
        if chance == 0:
            content = head + bytes(byte ^ 1 << dice.randrange(8) for byte in block[:4]) + block[4:] + tail
        elif chance == 1:
            content = head
        elif chance == 2:
            content = head + dice.randbytes(len(block)) + block + tail
        elif chance == 3:
            content = head + block * dice.choice((2, 3, 100)) + tail
        elif chance == 4:
            first, second = sorted(dice.sample(range(0, 64, 2), 2))
            words = bytearray(content)
            words[first : first + 2], words[second : second + 2] = words[second : second + 2], words[first : first + 2]
            content = bytes(words)
        elif chance == 5:
            content = head + bytes(len(block)) + tail
        elif chance == 6:
            header = dice.randrange(min(64, len(content)) or 1)
            content = content[:header] + dice.choice((b"\xff", b"\x7f", b"\0")) * 4 + content[header + 4 :]
        else:
            number = dice.choice(numbers)
            content = content[: number.start()] + dice.choice(EXTREMES).encode() + content[number.end() :]
    return content


def give(command: str) -> None:
    """Give a command; fail unless it succeeds or ends with an error sentence, in time."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(MAX_SECONDS)
    words = command.split()
    result = CliRunner().invoke(app, words + ["--device", "cpu"] * (words[0] == "predict"))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    has_sentence = "error: " in result.stderr or "could not be predicted" in result.stderr
    if result.exit_code not in range(4) or (result.exit_code and not has_sentence):
        raise RuntimeError(f"exit code {result.exit_code}: {result.output}")


def test_a_damaged_file_is_used_or_refused_in_a_sentence(originals: Path, tmp_path: Path) -> None:
    for command in {command for commands in READERS.values() for command in commands}:
        give(command.replace("NEW", f"{tmp_path}/first{abs(hash(command))}"))  # loads what the children need
    signal.alarm(0)
    failed = []
    for number in range(NUM_COPIES):
        dice = random.Random(number)
        name = list(READERS)[number % len(READERS)]
        whole = Path(name).read_bytes()
        Path(name).write_bytes(damaged(whole, dice))
        command = dice.choice(READERS[name]).replace("NEW", f"{tmp_path}/new{number}")
        try:
            in_a_child(partial(give, command), originals)
        except pytest.fail.Exception as failure:
            failed.append(f"copy {number} of {name}, {command}: {failure.msg}")
            shutil.copy(name, tmp_path / f"{number}-{Path(name).name}")
            (tmp_path / f"{number}.txt").write_text(failed[-1])
        Path(name).write_bytes(whole)
    assert not failed, f"{len(failed)} of {NUM_COPIES}\n" + "\n".join(failed)
