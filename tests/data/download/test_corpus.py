"""Corpora fetched from a server of this machine into folders that `prepare` can read."""

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

SOUND = b"RIFF and so on"
OID = hashlib.sha256(SOUND).hexdigest()


def zipped(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, part in files.items():
            archive.writestr(name, part)
    return content.getvalue()


def tarred(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, part in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(part)
            archive.addfile(member, io.BytesIO(part))
    return content.getvalue()


def pointer(oid: str) -> bytes:
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 14\n".encode()


@contextlib.contextmanager
def no_bar(title: str) -> Iterator[Progress]:
    yield lambda done, total: None


@pytest.fixture
def corpus() -> Callable[..., Corpus]:
    """Makes the entry of a corpus with these files to fetch."""

    def make(name: str, *entries: dict[str, Any]) -> Corpus:
        entry = read_catalogue()[name].as_dict()
        return Corpus.make({**entry, "download": list(entries)})

    return make


def found(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and ".download" not in p.parts}


def test_an_archive_is_fetched_unpacked_and_marked_complete_and_nothing_is_fetched_twice(
    served: Any, tmp_path: Path, corpus: Callable[..., Corpus]
) -> None:
    served.files["r.zip"] = content = zipped({"Actor_01/03-01-01-01-01-01-01.wav": SOUND})
    digest, md5 = hashlib.sha256(content).hexdigest(), hashlib.md5(content).hexdigest()
    ravdess = corpus("ravdess", {"url": f"{served.url}/r.zip", "file": "r.zip", "checksum": f"md5:{md5}"})
    said: list[str] = []
    for _ in range(2):
        assert download(ravdess, tmp_path, no_bar, said.append) == tmp_path / "ravdess"
    assert found(tmp_path / "ravdess") == {"Actor_01/03-01-01-01-01-01-01.wav", ".completed"}
    assert (tmp_path / "ravdess" / ".completed").read_text() == f"{digest}  r.zip\n"
    assert said == [f"r.zip has the published checksum md5:{md5}"]
    assert not (tmp_path / "ravdess" / ".download" / "r.zip").exists()
    assert len(served.asked) == 1


def test_a_file_without_a_published_checksum_has_its_sha256_told(
    served: Any, tmp_path: Path, corpus: Callable[..., Corpus]
) -> None:
    served.files["train.tsv"] = b"text\t0\tid\n"
    said: list[str] = []
    entry = {"url": f"{served.url}/train.tsv", "file": "train.tsv"}
    root = download(corpus("goemotions", entry), tmp_path, no_bar, said.append)
    digest = hashlib.sha256(b"text\t0\tid\n").hexdigest()
    assert said == [f"train.tsv has no published checksum to compare with; its SHA-256 is {digest}"]
    assert found(root) == {"train.tsv", ".completed"}


def test_after_a_cut_in_the_second_file_the_first_is_not_fetched_again(
    served: Any, tmp_path: Path, corpus: Callable[..., Corpus]
) -> None:
    served.files["one.zip"] = zipped({"a.wav": SOUND})
    entries = [{"url": f"{served.url}/{name}", "file": name} for name in ("one.zip", "two.zip")]
    meld = corpus("meld", *entries)
    with pytest.raises(DataError) as error:
        download(meld, tmp_path, no_bar, lambda _: None)
    assert str(error.value) == (
        f"{served.url}/two.zip answered 404 Not Found; get the corpus at https://github.com/declare-lab/MELD "
        "and give its folder as --root meld=DIR."
    )
    assert not (tmp_path / "meld" / ".completed").exists()
    served.files["two.zip"] = zipped({"b.wav": SOUND})
    served.asked.clear()
    assert found(download(meld, tmp_path, no_bar, lambda _: None)) == {"a.wav", "b.wav", ".completed"}
    assert [name for name, _ in served.asked] == ["two.zip"]


def test_archives_inside_an_archive_are_unpacked_where_they_lie(
    served: Any, tmp_path: Path, corpus: Callable[..., Corpus]
) -> None:
    inner = tarred({"train_splits/dia0_utt0.mp4": SOUND})
    served.files["MELD.Raw.tar.gz"] = tarred({"MELD.Raw/train.tar.gz": inner, "MELD.Raw/README.txt": b""})
    entry = {"url": f"{served.url}/MELD.Raw.tar.gz", "file": "MELD.Raw.tar.gz"}
    root = download(corpus("meld", entry), tmp_path, no_bar, lambda _: None)
    assert found(root) == {"MELD.Raw/train_splits/dia0_utt0.mp4", "MELD.Raw/README.txt", ".completed"}


def test_an_evil_archive_is_refused_and_the_corpus_is_not_complete(
    served: Any, tmp_path: Path, corpus: Callable[..., Corpus]
) -> None:
    served.files["a.zip"] = zipped({"../../evil.wav": SOUND})
    with pytest.raises(DataError, match=r"^a\.zip holds '\.\./\.\./evil\.wav', a path that leads out of its folder"):
        download(corpus("tess", {"url": f"{served.url}/a.zip", "file": "a.zip"}), tmp_path, no_bar, lambda _: None)
    assert not list(tmp_path.rglob("evil.wav"))
    assert not list(tmp_path.rglob(".completed"))


def test_pointers_become_the_files_that_they_name_and_one_that_is_gone_stays(
    served: Any, tmp_path: Path, corpus: Callable[..., Corpus]
) -> None:
    served.files |= {"media/AudioWAV/a.wav": SOUND, "media/AudioWAV/b.wav": b"something else"}
    names = {f"CREMA-D-master/AudioWAV/{stem}.wav": pointer(OID) for stem in "abc"}
    served.files["c.zip"] = zipped({**names, "CREMA-D-master/VideoFlash/a.flv": pointer(OID)})
    pointers = f"{served.url}/media/AudioWAV"
    entry = {"url": f"{served.url}/c.zip", "file": "c.zip", "pointers": pointers}
    said: list[str] = []
    root = download(corpus("crema_d", entry), tmp_path, no_bar, said.append)
    folder = root / "CREMA-D-master" / "AudioWAV"
    assert (folder / "a.wav").read_bytes() == SOUND
    assert (folder / "b.wav").read_bytes() == (folder / "c.wav").read_bytes() == pointer(OID)
    assert said[1].startswith("2 of 3 files of AudioWAV could not be had: ")
    assert (root / "CREMA-D-master/VideoFlash/a.flv").read_bytes() == pointer(OID)


def test_a_folder_with_files_of_ones_own_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "emodb").mkdir()
    (tmp_path / "emodb" / "03a01Fa.wav").touch()
    with pytest.raises(UsageError) as error:
        download(read_catalogue()["emodb"], tmp_path, no_bar, lambda _: None)
    assert str(error.value) == (
        f"{tmp_path / 'emodb'} holds files that emokit did not fetch; use them with --root emodb={tmp_path / 'emodb'}, "
        "or name another folder with --download."
    )


def test_six_corpora_may_be_had_freely_and_of_the_others_it_is_said_where_to_ask() -> None:
    catalogue = read_catalogue()
    free = [name for name, one in catalogue.items() if one.download]
    assert free == ["crema_d", "emodb", "meld", "ravdess", "tess", "goemotions"]
    assert [one.name for one in wanted(catalogue, [*free, "emodb"], [])] == free
    words = {
        "savee": "savee is not to be had without asking: get it at http://kahlan.eps.surrey.ac.uk/savee, lay it out like "
        "ALL/DC_a01.wav or AudioData/DC/a01.wav, and give its folder as --root savee=DIR.",
        "esd": "esd is not to be had without asking: get it at https://github.com/HLTSingapore/Emotional-Speech-Data, "
        "lay it out like 0011/Angry/0011_000351.wav beside 0011/0011.txt, with or without train, evaluation and test "
        "below Angry, and give its folder as --root esd=DIR.",
        "jl_corpus": "jl_corpus is not to be had without asking: get it at "
        "https://www.kaggle.com/datasets/tli725/jl-corpus, lay it out like female1_angry_10a_1.wav, in any folder, "
        "and give its folder as --root jl_corpus=DIR.",
    }
    for name, sentence in words.items():
        with pytest.raises(UsageError) as error:
            wanted(catalogue, ["emodb", name], [])
        assert str(error.value) == sentence
        assert wanted(catalogue, [name], [f"{name}=here"]) == []
