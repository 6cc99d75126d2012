"""Nine corpora, each with something wrong: none stops the others, and everything wrong is in the ledger."""

import os
import shutil
import signal
from pathlib import Path

import numpy
import pytest

from emokit.data.catalogue import read_catalogue, with_roots
from emokit.data.prepare import Plan, prepare
from emokit.data.prepared import Prepared
from emokit.data.splits.draw import SplitSettings
from emokit.data.synthesis.corpora import CORPORA, write_corpus
from emokit.settings import Settings

pytestmark = pytest.mark.end_to_end

FATAL_LENGTH = 4321
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"


class Fatal:
    """An extractor that dies on sound of one length, as a decoder dies on a file that trips it."""

    sample_rate = 16_000

    def __call__(self, waveform: numpy.ndarray) -> numpy.ndarray:
        if len(waveform) == FATAL_LENGTH:
            os.kill(os.getpid(), signal.SIGKILL)
        return numpy.array([[waveform.max(), waveform.min()]], numpy.float32)


def first(root: Path, pattern: str = "*.wav", number: int = 0) -> Path:
    return sorted(root.rglob(pattern))[number]


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The roots of all nine."""
    roots = tmp_path_factory.mktemp("roots")
    for name in CORPORA:
        write_corpus(name, roots / name, size=0.25)
        (roots / name / "SYNTHESISED.txt").unlink()  # so that they are judged as real ones
    # A decoder that crashes.
    import soundfile

    soundfile.write(first(roots / "crema_d"), numpy.full(FATAL_LENGTH, 0.5), 16_000)
    # A pointer of Git LFS.
    first(roots / "emodb").write_text(POINTER)
    # A tree inside itself, and a transcript line out of form.
    shutil.copytree(roots / "esd" / "Emotion Speech Dataset", roots / "esd" / "copy" / "Emotion Speech Dataset")
    transcript = first(roots / "esd" / "Emotion Speech Dataset", "00??.txt")
    transcript.write_bytes(b"out of form\n" + b"\n".join(transcript.read_bytes().split(b"\n")[1:]))
    # Files of one corpus among another's.
    shutil.copy(first(roots / "savee"), roots / "jl_corpus" / "DC_a01.wav")
    # A film without sound, or what calls itself one.
    first(roots / "meld").with_suffix(".mp4").write_bytes(b"\0" * 500)
    first(roots / "meld").unlink()
    # A folder of another name, and a file that is cut short.
    (roots / "ravdess" / "Actor_01").rename(roots / "ravdess" / "somebody")
    cut = first(roots / "ravdess")
    cut.write_bytes(cut.read_bytes()[:1000])
    # A link that leads nowhere, and a name that the corpus does not have.
    (roots / "savee" / "ALL" / "DC_h15.wav").unlink(missing_ok=True)
    (roots / "savee" / "ALL" / "DC_h15.wav").symlink_to("nowhere.wav")
    shutil.copy(first(roots / "savee", number=1), roots / "savee" / "ALL" / "XX_a01.wav")
    # Nothing but an empty file.
    first(roots / "tess").write_bytes(b"")
    # A table in another encoding: this corpus alone fails.
    table = roots / "goemotions" / "dev.tsv"
    table.write_bytes("caf\xe9\t0\tid\n".encode("latin-1") + table.read_bytes())
    return roots


@pytest.fixture(scope="module")
def prepared(damaged: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    corpora = with_roots(read_catalogue(), CORPORA, [f"{name}={damaged / name}" for name in CORPORA])
    out = tmp_path_factory.mktemp("out") / "prepared"
    return prepare(Plan(tuple(corpora), Settings(), SplitSettings()), out, Fatal(), num_workers=2)


def test_one_corpus_fails_with_a_sentence_and_eight_are_prepared(prepared: Prepared, damaged: Path) -> None:
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
def test_what_is_of_no_use_is_dropped_with_its_reason(prepared: Prepared, corpus: str, reason: str) -> None:
    assert prepared.ledger["corpora"][corpus]["dropped"][reason]


def test_what_is_odd_is_kept_and_flagged(prepared: Prepared) -> None:
    assert prepared.ledger["corpora"]["esd"]["flagged"]["no transcript"]
    assert prepared.ledger["corpora"]["meld"]["flagged"]["text only, its clip is undecodable"]
    assert (prepared.table["corpus"] == "ravdess").sum() > 50


def test_a_corpus_of_which_under_half_is_there_says_so(prepared: Prepared) -> None:
    for name, entry in prepared.ledger["corpora"].items():
        assert any("check that it is complete" in note for note in entry["notes"]), name
