"""Corpora that may be had freely, fetched as `datasets.yaml` says: into a folder of their own, marked when complete.

DIR/ravdess/…  DIR/ravdess/.completed (written last, with the SHA-256 of every file that was fetched)
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlsplit

from emokit.data.catalogue import Corpus, Download
from emokit.data.download.fetch import Progress, fetch
from emokit.data.download.unpack import is_archive, unpack
from emokit.data.sources.tree import walk
from emokit.errors import DataError, UsageError
from emokit.files import explained_disk_errors, write_text

COMPLETED = ".completed"
WORK = ".download"  # hidden, so that no reader takes what lies there for a part of the corpus
CONNECTIONS = 8
MEGABYTE = 1_000_000

Bar = Callable[[str], AbstractContextManager[Progress]]
Tell = Callable[[str], None]


def wanted(catalogue: Mapping[str, Corpus], names: Iterable[str], roots: Iterable[str]) -> list[Corpus]:
    """Those of the corpora named that have no folder yet.

    Raises:
        UsageError: one of them is not to be had without asking.
    """
    given = {root.partition("=")[0] for root in roots}
    corpora = [catalogue[name] for name in dict.fromkeys(names) if name in catalogue and name not in given]
    corpora = [corpus for corpus in corpora if corpus.root is None]
    for corpus in corpora:
        if not corpus.download:
            raise UsageError(
                f"{corpus.name} is not to be had without asking: get it at {corpus.homepage}, lay it out like "
                f"{corpus.layout}, and give its folder as --root {corpus.name}=DIR."
            )
    return corpora


def download(corpus: Corpus, folder: Path, bar: Bar, tell: Tell) -> Path:
    """Fetch a corpus below `folder`, or go on with it; nothing is done where it is complete.

    Args:
        corpus: its entry, with at least one file to fetch.
        folder: the corpus gets a folder of its name in it.
        bar: makes a progress bar with a title.
        tell: takes a remark for the user, such as the SHA-256 of a file.

    Returns:
        The root of the corpus.

    Raises:
        UsageError: its folder holds files that were not fetched.
        DataError: a file is not there any more, is another one than expected, or is an archive that is damaged or evil.
        WorkError: the connection fails again and again, or the disk is full; what came is kept.
    """
    root = folder / corpus.name
    if (root / COMPLETED).exists():
        return root
    work = root / WORK
    if root.exists() and not work.exists() and (not root.is_dir() or any(root.iterdir())):
        raise UsageError(
            f"{root} holds files that emokit did not fetch; use them with --root {corpus.name}={root}, "
            "or name another folder with --download."
        )
    with explained_disk_errors(work):
        work.mkdir(parents=True, exist_ok=True)
    advice = f"get the corpus at {corpus.homepage} and give its folder as --root {corpus.name}=DIR"
    lines = [_add(entry, root, advice, bar, tell) for entry in corpus.download]
    write_text(root / COMPLETED, "".join(lines))
    return root


def _add(entry: Download, root: Path, advice: str, bar: Bar, tell: Tell) -> str:
    """Fetch one file and put what it holds in its place; the line of `.completed` that tells of it."""
    fetched, note = root / WORK / entry.file, root / WORK / f"{entry.file}.sha256"
    if note.exists():
        return note.read_text(encoding="utf-8")
    with bar(f"{entry.file} (MB)") as progress:
        digest = fetch(
            entry.url, fetched, entry.checksum, advice, lambda done, total: progress(*_megabytes(done, total))
        )
    if entry.checksum:
        tell(f"{entry.file} has the published checksum {entry.checksum}")
    else:
        tell(f"{entry.file} has no published checksum to compare with; its SHA-256 is {digest}")
    if is_archive(entry.file):
        unpack(fetched, root)
        _unpack_inner(root)
    else:
        with explained_disk_errors(root):
            fetched.replace(root / entry.file)
    if entry.pointers:
        _fill_pointers(root, entry.pointers, advice, bar, tell)
    line = f"{digest}  {entry.file}\n"
    write_text(note, line)
    fetched.unlink(missing_ok=True)
    return line


def _megabytes(done: int, total: int) -> tuple[int, int]:
    return done // MEGABYTE, max(done, total) // MEGABYTE


def _unpack_inner(root: Path) -> None:
    """Unpack the archives that an archive held, such as MELD's `train.tar.gz`, where they lie."""
    for inner in [root / path for path, _ in walk(root) if is_archive(path)]:
        unpack(inner, inner.parent)
        inner.unlink()


def _fill_pointers(root: Path, address: str, advice: str, bar: Bar, tell: Tell) -> None:
    """Replace Git LFS pointers by the files that they name; size and SHA-256 stand in the pointer itself.

    `address` ends with the folder that the pointers lie in. One that cannot be had stays a pointer, which `prepare` names.
    """
    folder = PurePosixPath(urlsplit(address).path).name
    places = [root / path for path, entry in walk(root) if f"/{path}".rpartition("/")[0].endswith(f"/{folder}")]
    pointers = {place: oid for place in places if (oid := _pointed_at(place))}
    failures = []

    def fill(place: Path, oid: str) -> None:
        try:
            temporary = root / WORK / place.name
            fetch(f"{address.rstrip('/')}/{quote(place.name)}", temporary, f"sha256:{oid}", advice)
            temporary.replace(place)
        except DataError as error:
            failures.append(str(error))

    with bar(f"files of {folder}") as progress, ThreadPoolExecutor(CONNECTIONS) as pool:
        running = [pool.submit(fill, place, oid) for place, oid in pointers.items()]
        try:
            for done, future in enumerate(running, start=1):
                future.result()
                progress(done, len(running))
        finally:
            pool.shutdown(cancel_futures=True)
    if failures:
        tell(f"{len(failures)} of {len(pointers)} files of {folder} could not be had: {failures[0]}")


def _pointed_at(path: Path) -> str | None:
    """The SHA-256 in a Git LFS pointer; None where the file is none."""
    if path.stat().st_size > 1024:
        return None
    content = path.read_bytes()
    if not content.startswith(b"version https://git-lfs"):
        return None
    words = content.decode("ascii", errors="replace").split()
    return next((word.removeprefix("sha256:") for word in words if word.startswith("sha256:")), None)
