"""Corpora fetched from a local server into folders that `prepare` can read."""

import contextlib
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from emokit.data.catalogue import Corpus, read_catalogue
from emokit.data.download.corpus import download, wanted
from emokit.data.download.fetch import Progress
from emokit.errors import DataError, UsageError

CONTENT = b"RIFF and so on"
OID = hashlib.sha256(CONTENT).hexdigest()


def zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def pointer(oid: str) -> bytes:
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 14\n".encode()


@contextlib.contextmanager
def no_bar(title: str) -> Iterator[Progress]:
    yield lambda done, total: None


@pytest.fixture
def corpus() -> Callable[..., Corpus]:
    """Makes the catalogue entry of a corpus with these files to fetch."""

    def make(name: str, *entries: dict[str, Any]) -> Corpus:
        entry = read_catalogue()[name].as_dict()
        return Corpus.make({**entry, "download": list(entries)})

    return make


def files_in(folder: Path) -> set[str]:
    files = [path for path in folder.rglob("*") if path.is_file() and ".download" not in path.parts]
    return {path.relative_to(folder).as_posix() for path in files}


def test_an_archive_is_fetched_once_unpacked_and_marked_complete(
    served: Any, tmp_path: Path, corpus: Callable[..., Corpus]
) -> None:
    served.files["r.zip"] = content = zipped({"Actor_01/03-01-01-01-01-01-01.wav": CONTENT})
    digest, md5 = hashlib.sha256(content).hexdigest(), hashlib.md5(content).hexdigest()
    ravdess = corpus("ravdess", {"url": f"{served.url}/r.zip", "file": "r.zip", "checksum": f"md5:{md5}"})
    messages: list[str] = []
    for _ in range(2):
        assert download(ravdess, tmp_path, no_bar, messages.append) == tmp_path / "ravdess"
    assert files_in(tmp_path / "ravdess") == {"Actor_01/03-01-01-01-01-01-01.wav", ".completed"}
    assert (tmp_path / "ravdess" / ".completed").read_text() == f"{digest}  r.zip\n"
    assert messages == [f"r.zip has the published checksum md5:{md5}"]
    assert not (tmp_path / "ravdess" / ".download" / "r.zip").exists()
    assert len(served.asked) == 1


def test_the_sha256_of_a_file_without_a_published_checksum_is_shown(
    served: Any, tmp_path: Path, corpus: Callable[..., Corpus]
) -> None:
    served.files["train.tsv"] = b"text\t0\tid\n"
    messages: list[str] = []
    entry = {"url": f"{served.url}/train.tsv", "file": "train.tsv"}
    root = download(corpus("goemotions", entry), tmp_path, no_bar, messages.append)
    digest = hashlib.sha256(b"text\t0\tid\n").hexdigest()
    assert messages == [f"train.tsv has no published checksum to compare with; its SHA-256 is {digest}"]
    assert files_in(root) == {"train.tsv", ".completed"}


def test_after_a_failure_of_the_second_file_the_first_is_not_fetched_again(
    served: Any, tmp_path: Path, corpus: Callable[..., Corpus]
) -> None:
    served.files["one.zip"] = zipped({"a.wav": CONTENT})
    entries = [{"url": f"{served.url}/{name}", "file": name} for name in ("one.zip", "two.zip")]
    meld = corpus("meld", *entries)
    with pytest.raises(DataError) as error:
        download(meld, tmp_path, no_bar, lambda _: None)
    assert str(error.value) == (
        f"{served.url}/two.zip answered 404 Not Found; get the corpus at https://github.com/declare-lab/MELD "
        "and give its folder as --root meld=DIR."
    )
    assert not (tmp_path / "meld" / ".completed").exists()
    served.files["two.zip"] = zipped({"b.wav": CONTENT})
    served.asked.clear()
    assert files_in(download(meld, tmp_path, no_bar, lambda _: None)) == {"a.wav", "b.wav", ".completed"}
    assert [name for name, _ in served.asked] == ["two.zip"]


def test_archives_inside_an_archive_are_unpacked_in_their_folders(
    served: Any, tmp_path: Path, corpus: Callable[..., Corpus]
) -> None:
    inner = tarred({"train_splits/dia0_utt0.mp4": CONTENT})
    served.files["MELD.Raw.tar.gz"] = tarred({"MELD.Raw/train.tar.gz": inner, "MELD.Raw/README.txt": b""})
    entry = {"url": f"{served.url}/MELD.Raw.tar.gz", "file": "MELD.Raw.tar.gz"}
    root = download(corpus("meld", entry), tmp_path, no_bar, lambda _: None)
    assert files_in(root) == {"MELD.Raw/train_splits/dia0_utt0.mp4", "MELD.Raw/README.txt", ".completed"}


def test_an_unsafe_archive_is_refused_and_the_corpus_is_not_complete(
    served: Any, tmp_path: Path, corpus: Callable[..., Corpus]
) -> None:
    served.files["a.zip"] = zipped({"../../evil.wav": CONTENT})
    with pytest.raises(DataError, match=r"^a\.zip contains '\.\./\.\./evil\.wav', a path outside its folder"):
        download(corpus("tess", {"url": f"{served.url}/a.zip", "file": "a.zip"}), tmp_path, no_bar, lambda _: None)
    assert not list(tmp_path.rglob("evil.wav"))
    assert not list(tmp_path.rglob(".completed"))


def test_pointers_are_replaced_by_their_files_unless_these_are_missing_or_different(
    served: Any, tmp_path: Path, corpus: Callable[..., Corpus]
) -> None:
    served.files |= {"media/AudioWAV/a.wav": CONTENT, "media/AudioWAV/b.wav": b"something else"}
    names = {f"CREMA-D-master/AudioWAV/{stem}.wav": pointer(OID) for stem in "abc"}
    served.files["c.zip"] = zipped({**names, "CREMA-D-master/VideoFlash/a.flv": pointer(OID)})
    pointers = f"{served.url}/media/AudioWAV"
    entry = {"url": f"{served.url}/c.zip", "file": "c.zip", "pointers": pointers}
    messages: list[str] = []
    root = download(corpus("crema_d", entry), tmp_path, no_bar, messages.append)
    folder = root / "CREMA-D-master" / "AudioWAV"
    assert (folder / "a.wav").read_bytes() == CONTENT
    assert (folder / "b.wav").read_bytes() == (folder / "c.wav").read_bytes() == pointer(OID)
    assert messages[1].startswith("2 of 3 files of AudioWAV could not be fetched: ")
    assert (root / "CREMA-D-master/VideoFlash/a.flv").read_bytes() == pointer(OID)


def test_a_folder_with_files_of_the_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "emodb").mkdir()
    (tmp_path / "emodb" / "03a01Fa.wav").touch()
    with pytest.raises(UsageError) as error:
        download(read_catalogue()["emodb"], tmp_path, no_bar, lambda _: None)
    assert str(error.value) == (
        f"{tmp_path / 'emodb'} holds files that emokit did not fetch; use them with --root emodb={tmp_path / 'emodb'}, "
        "or name another folder with --download."
    )


def test_six_corpora_are_downloaded_and_for_the_others_the_error_names_their_homepage() -> None:
    catalogue = read_catalogue()
    free = [name for name, entry in catalogue.items() if entry.download]
    assert free == ["crema_d", "emodb", "meld", "ravdess", "tess", "goemotions"]
    assert [entry.name for entry in wanted(catalogue, [*free, "emodb"], [])] == free
    sentences = {
        "savee": "savee cannot be downloaded without a request: get it at http://kahlan.eps.surrey.ac.uk/savee, lay it out like "
        "ALL/DC_a01.wav or AudioData/DC/a01.wav, and give its folder as --root savee=DIR.",
        "esd": "esd cannot be downloaded without a request: get it at https://github.com/HLTSingapore/Emotional-Speech-Data, "
        "lay it out like 0011/Angry/0011_000351.wav beside 0011/0011.txt, with or without train, evaluation and test "
        "below Angry, and give its folder as --root esd=DIR.",
        "jl_corpus": "jl_corpus cannot be downloaded without a request: get it at "
        "https://www.kaggle.com/datasets/tli725/jl-corpus, lay it out like female1_angry_10a_1.wav, in any folder, "
        "and give its folder as --root jl_corpus=DIR.",
    }
    for name, sentence in sentences.items():
        with pytest.raises(UsageError) as error:
            wanted(catalogue, ["emodb", name], [])
        assert str(error.value) == sentence
        assert wanted(catalogue, [name], [f"{name}=here"]) == []


@pytest.mark.parametrize("ending", [".7z", ".rar", ".tar.zst"])
def test_a_format_that_cannot_be_unpacked_is_refused_before_a_download(ending: str) -> None:
    corpus = read_catalogue()["emodb"]
    entry = corpus.download[0].model_copy(update={"file": f"audio{ending}"})
    with pytest.raises(UsageError) as error:
        wanted({"emodb": corpus.model_copy(update={"download": (entry,)})}, ["emodb"], [])
    assert str(error.value) == (
        f"emodb has the file audio{ending} to download, and emokit unpacks no {ending}, only .zip, .tar, .tar.gz, .tgz, "
        ".tar.bz2, .tbz2, .tbz, .tar.xz, .txz; unpack it yourself and give its folder as --root emodb=DIR."
    )
