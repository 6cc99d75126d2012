"""Valid, damaged and unsafe archives."""

import io
import random
import stat
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from emokit.data.download.unpack import is_archive, unpack
from emokit.errors import DataError


def zipped(path: Path, files: Mapping[str, bytes], mode: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return path


def tarred(path: Path, *members: tarfile.TarInfo, content: bytes = b"") -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            member.size = len(content) if member.isfile() else 0
            archive.addfile(member, io.BytesIO(content))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, target, mode
    return info


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_zip_and_a_tar_archive_give_the_same_files(tmp_path: Path) -> None:
    zipped(tmp_path / "a.zip", {"Actor_01/": b"", "Actor_01/x.wav": b"audio", "__MACOSX/._x": b"", "._y": b""})
    tarred(
        tmp_path / "a.tar.gz",
        member("Actor_01", tarfile.DIRTYPE),
        member("Actor_01/x.wav"),
        member("Actor_01/._x.wav"),
        content=b"audio",
    )
    for name in ("a.zip", "a.tar.gz"):
        assert unpack(tmp_path / name, tmp_path / "out" / name) == 1
        assert files_in(tmp_path / "out" / name) == {"Actor_01/x.wav": b"audio"}


@pytest.mark.parametrize(("ending", "form"), [("tar.bz2", "bz2"), ("tbz2", "bz2"), ("tar.xz", "xz"), ("TXZ", "xz")])
def test_other_compressions_of_tar_are_unpacked_with_the_same_guards(tmp_path: Path, ending: str, form: Any) -> None:
    for name in ("a/x.wav", "../x.wav"):
        archive = tmp_path / f"{len(name)}.{ending}"
        with tarfile.open(archive, f"w:{form}") as opened:
            opened.addfile(member(name))
        assert is_archive(archive.name)
        if name == "a/x.wav":
            assert unpack(archive, tmp_path / "out") == 1
            continue
        with pytest.raises(DataError) as error:
            unpack(archive, tmp_path / "out")
        assert "'../x.wav', a path outside its folder" in str(error.value)
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError) as error:
        unpack(archive, tmp_path / "out")
    assert str(error.value).startswith(f"{archive.name} is damaged")
    assert files_in(tmp_path / "out") == {"a/x.wav": b""}


def test_nothing_becomes_executable(tmp_path: Path) -> None:
    unpack(zipped(tmp_path / "a.zip", {"run.sh": b"rm"}, stat.S_IFREG | 0o4755), tmp_path / "out")
    unpack(tarred(tmp_path / "a.tar.gz", member("run2.sh", mode=0o4777)), tmp_path / "out")
    for path in (tmp_path / "out").iterdir():
        assert path.stat().st_mode & 0o7111 == 0


UNSAFE = ("../x.wav", "a/../../x.wav", "/x.wav", "C:/x.wav", "a\\..\\x.wav")


@pytest.mark.parametrize("name", UNSAFE)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_path_outside_the_folder_is_refused(tmp_path: Path, name: str, kind: str) -> None:
    if kind == "zip":
        archive = zipped(tmp_path / "evil.zip", {name: b"evil"})
    else:
        archive = tarred(tmp_path / "evil.tar.gz", member(name), content=b"evil")
    with pytest.raises(DataError) as error:
        unpack(archive, tmp_path / "in" / "out")
    assert str(error.value) == (
        f"{archive.name} contains {name!r}, a path outside its folder, which no corpus has; do not use this archive."
    )
    assert files_in(tmp_path) == {archive.name: archive.read_bytes()}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    archive = tarred(tmp_path / "evil.tar.gz", member("a", kind, "/etc/passwd"), member("a/x"), content=b"evil")
    with pytest.raises(DataError, match=r"^evil\.tar\.gz contains 'a', a link or a device, which no corpus has"):
        unpack(archive, tmp_path / "out")


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "evil.zip", {"a": b"/etc"}, stat.S_IFLNK | 0o777)
    with pytest.raises(DataError, match=r"^evil\.zip contains 'a', a link or a device, which no corpus has"):
        unpack(archive, tmp_path / "out")


def test_an_existing_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").symlink_to(tmp_path / "outside")
    with pytest.raises(DataError, match="a path outside its folder"):
        unpack(zipped(tmp_path / "a.zip", {"a/x": b"evil"}), tmp_path / "out")
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_a_web_page_in_place_of_an_archive_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("<html>Please log in</html>")
    with pytest.raises(DataError, match=rf"^{name} is damaged or not an archive; fetch it again\.$"):
        unpack(tmp_path / name, tmp_path / "out")


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_damaged_archive_is_refused(tmp_path: Path, kind: str) -> None:
    content = bytes(range(256)) * 100
    if kind == "zip":
        archive = zipped(tmp_path / "a.zip", {"x": content})
        damaged = bytearray(archive.read_bytes())
        damaged[100] ^= 255
    else:
        archive = tarred(tmp_path / "a.tar.gz", member("x"), content=content)
        damaged = bytearray(archive.read_bytes()[:-200])
    archive.write_bytes(damaged)
    with pytest.raises(DataError, match=r"is damaged \(.+\); fetch it again\.$"):
        unpack(archive, tmp_path / "out")


def patched(path: Path, *bits: tuple[int, bytes]) -> Path:
    """The archive with bytes replaced in the headers of its only file, before its content and at the end."""
    data = bytearray(path.read_bytes())
    for header, shift in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
        start = data.find(header)
        for offset, value in bits:
            data[start + offset + shift : start + offset + shift + len(value)] = value
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("bits", "fault"),
    [
        ((6, b"\x01\x00"), "'a.wav' is encrypted"),
        ((8, b"\x62\x00"), "That compression method is not supported"),
    ],
)
def test_an_encrypted_archive_and_an_unknown_compression_are_a_sentence(
    tmp_path: Path, bits: tuple[int, bytes], fault: str
) -> None:
    archive = patched(zipped(tmp_path / "a.zip", {"a.wav": b"x" * 100}), bits)
    with pytest.raises(DataError) as error:
        unpack(archive, tmp_path / "out")
    assert str(error.value) == f"a.zip is damaged ({fault}); fetch it again."


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (["a", "a/b"], "'a/b', a file in the place of a folder"),
        (["a/b", "a"], "'a', a file in the place of a folder"),
        (["n" * 300], f"'{'n' * 40}…', a name longer than 255 bytes"),
    ],
)
def test_names_that_no_folder_can_hold_are_refused(tmp_path: Path, names: list[str], fault: str) -> None:
    with pytest.raises(DataError) as error:
        unpack(zipped(tmp_path / "a.zip", dict.fromkeys(names, b"")), tmp_path / "out")
    assert str(error.value) == f"a.zip contains {fault}, which no corpus has; do not use this archive."


@pytest.mark.parametrize("ending", ["bz2", "xz"])
def test_a_damaged_compression_is_a_sentence(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.tar.{ending}"
    with tarfile.open(path, f"w:{ending}") as archive:
        inside = member("a.wav")
        inside.size = 100_000
        archive.addfile(inside, io.BytesIO(random.Random(0).randbytes(100_000)))
    data = bytearray(path.read_bytes())
    data[60_000:60_100] = bytes(100)
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"is damaged"):
        unpack(path, tmp_path / "out")
