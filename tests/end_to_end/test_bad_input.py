"""Nine damaged corpora: one that fails does not stop the others, and all damage is in the ledger."""

import os
import shutil
import signal
from pathlib import Path

import numpy
import pytest

from emokit.data.catalogue import read_catalogue, with_roots
from emokit.data.plan import Plan
from emokit.data.prepare import prepare
from emokit.data.prepared import Prepared
from emokit.data.splits.draw import SplitSettings
from emokit.data.synthesis.corpora import CORPORA, write_corpus
from emokit.settings import Settings

pytestmark = pytest.mark.end_to_end

FATAL_LENGTH = 4321
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"


class Fatal:
    """An extractor that kills its process on waveforms of one length, as a crashing decoder does."""

    sample_rate = 16_000

    def __call__(self, waveform: numpy.ndarray) -> numpy.ndarray:
        if len(waveform) == FATAL_LENGTH:
            os.kill(os.getpid(), signal.SIGKILL)
        return numpy.array([[waveform.max(), waveform.min()]], numpy.float32)


def first(root: Path, pattern: str = "*.wav", number: int = 0) -> Path:
    """The first file below a folder in sorted order, or the one of that number."""
    return sorted(root.rglob(pattern))[number]


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the roots of all nine corpora."""
    roots = tmp_path_factory.mktemp("roots")
    for name in CORPORA:
        write_corpus(name, roots / name, size=0.25)
        (roots / name / "SYNTHESISED.txt").unlink()  # so that they are checked like real corpora
    # A decoder that crashes.
    import soundfile

    soundfile.write(first(roots / "crema_d"), numpy.insert(numpy.full(FATAL_LENGTH - 1, 0.5), 50, 0), 16_000)
    # A pointer of Git LFS.
    first(roots / "emodb").write_text(POINTER)
    # A copy of the corpus inside itself, and a malformed line of a transcript.
    shutil.copytree(roots / "esd" / "Emotion Speech Dataset", roots / "esd" / "copy" / "Emotion Speech Dataset")
    transcript = first(roots / "esd" / "Emotion Speech Dataset", "00??.txt")
    transcript.write_bytes(b"out of form\n" + b"\n".join(transcript.read_bytes().split(b"\n")[1:]))
    # A file of another corpus.
    shutil.copy(first(roots / "savee"), roots / "jl_corpus" / "DC_a01.wav")
    # A video clip that cannot be decoded.
    first(roots / "meld").with_suffix(".mp4").write_bytes(b"\0" * 500)
    first(roots / "meld").unlink()
    # A renamed folder, and a truncated file.
    (roots / "ravdess" / "Actor_01").rename(roots / "ravdess" / "somebody")
    truncated = first(roots / "ravdess")
    truncated.write_bytes(truncated.read_bytes()[:1000])
    # A broken link, and a file name that the corpus does not have.
    (roots / "savee" / "ALL" / "DC_h15.wav").unlink(missing_ok=True)
    (roots / "savee" / "ALL" / "DC_h15.wav").symlink_to("nowhere.wav")
    shutil.copy(first(roots / "savee", number=1), roots / "savee" / "ALL" / "XX_a01.wav")
    # An empty file.
    first(roots / "tess").write_bytes(b"")
    # A table in another encoding: only this corpus fails.
    table = roots / "goemotions" / "dev.tsv"
    table.write_bytes("caf\xe9\t0\tid\n".encode("latin-1") + table.read_bytes())
    return roots


@pytest.fixture(scope="module")
def prepared(damaged: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    corpora = with_roots(read_catalogue(), CORPORA, [f"{name}={damaged / name}" for name in CORPORA])
    out = tmp_path_factory.mktemp("out") / "prepared"
    return prepare(Plan(tuple(corpora), Settings(), SplitSettings()), out, Fatal(), num_workers=2)


def test_one_corpus_fails_with_a_reason_and_eight_are_prepared(prepared: Prepared, damaged: Path) -> None:
    assert set(prepared.table["corpus"]) == set(CORPORA) - {"goemotions"}
    assert prepared.ledger["failed"] == {
        "goemotions": f"{damaged / 'goemotions' / 'dev.tsv'} is not UTF-8 (byte 0xe9 at 3); use the published file."
    }


@pytest.mark.parametrize(
    ("corpus", "reason"),
    [
        ("crema_d", "the decoder crashed on it"),
        ("emodb", "a Git LFS pointer, not audio"),
        ("esd", "a copy of a file of the same name"),
        ("jl_corpus", "unknown file name"),
        ("ravdess", "truncated"),
        ("savee", "unknown file name"),
        ("tess", "empty"),
    ],
)
def test_an_unusable_file_is_dropped_with_its_reason(prepared: Prepared, corpus: str, reason: str) -> None:
    assert prepared.ledger["corpora"][corpus]["dropped"][reason]


def test_an_odd_utterance_is_kept_and_flagged(prepared: Prepared) -> None:
    assert prepared.ledger["corpora"]["esd"]["flagged"]["no transcript"]
    assert prepared.ledger["corpora"]["meld"]["flagged"]["text only, its clip is undecodable"]
    assert (prepared.table["corpus"] == "ravdess").sum() > 50


def test_a_corpus_that_lacks_over_half_of_its_utterances_has_a_note(prepared: Prepared) -> None:
    for name, entry in prepared.ledger["corpora"].items():
        assert any("check that it is complete" in note for note in entry["notes"]), name
