"""Download freely available corpora as `datasets.yaml` specifies: each into its own folder, marked when complete.

DIR/ravdess/…  DIR/ravdess/.completed (written last, with the SHA-256 of each fetched file)
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlsplit

from emokit.data.catalogue import Corpus, Download
from emokit.data.download.fetch import Progress, fetch
from emokit.data.download.unpack import ENDINGS, is_archive, unpack, unsupported
from emokit.data.sources.tree import walk
from emokit.errors import DataError, UsageError
from emokit.files import explained_disk_errors, write_text

COMPLETED = ".completed"
WORK = ".download"  # hidden, so that no reader takes its files for files of the corpus
CONNECTIONS = 8
MEGABYTE = 1_000_000

Bar = Callable[[str], AbstractContextManager[Progress]]
Notify = Callable[[str], None]


def wanted(catalogue: Mapping[str, Corpus], names: Iterable[str], roots: Iterable[str]) -> list[Corpus]:
    """The named corpora that have no root yet.

    Raises:
        UsageError: one of them cannot be downloaded, or is an archive of a format that is not unpacked.
    """
    given = {root.partition("=")[0] for root in roots}
    corpora = [catalogue[name] for name in dict.fromkeys(names) if name in catalogue and name not in given]
    corpora = [corpus for corpus in corpora if corpus.root is None]
    for corpus in corpora:
        if not corpus.download:
            raise UsageError(
                f"{corpus.name} cannot be downloaded without a request: get it at {corpus.homepage}, lay it out like "
                f"{corpus.layout}, and give its folder as --root {corpus.name}=DIR."
            )
        for entry in corpus.download:
            if ending := unsupported(entry.file):
                raise UsageError(
                    f"{corpus.name} has the file {entry.file} to download, and emokit unpacks no {ending}, only "
                    f"{', '.join(ENDINGS)}; unpack it yourself and give its folder as --root {corpus.name}=DIR."
                )
    return corpora


def download(corpus: Corpus, folder: Path, bar: Bar, notify: Notify) -> Path:
    """Fetch a corpus into a folder of its name in `folder`; resumes an interrupted download, does nothing if it is complete.

    Args:
        corpus: its catalogue entry, with at least one file to fetch.
        folder: the parent of the corpus's folder.
        bar: makes a progress bar with a title.
        notify: shows a message to the user, such as the SHA-256 of a file.

    Returns:
        The root of the corpus.

    Raises:
        UsageError: its folder holds files that were not fetched.
        DataError: a file is no longer available, has another checksum, or is a damaged or unsafe archive.
        WorkError: the connection keeps failing, or the disk is full; the bytes so far are kept.
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
    lines = [_add(entry, root, advice, bar, notify) for entry in corpus.download]
    write_text(root / COMPLETED, "".join(lines))
    return root


def _add(entry: Download, root: Path, advice: str, bar: Bar, notify: Notify) -> str:
    """Fetch one file, unpack it if it is an archive, and return its line of `.completed`."""
    fetched, note = root / WORK / entry.file, root / WORK / f"{entry.file}.sha256"
    if note.exists():
        return note.read_text(encoding="utf-8")
    with bar(f"{entry.file} (MB)") as progress:
        digest = fetch(
            entry.url, fetched, entry.checksum, advice, lambda done, total: progress(*_megabytes(done, total))
        )
    if entry.checksum:
        notify(f"{entry.file} has the published checksum {entry.checksum}")
    else:
        notify(f"{entry.file} has no published checksum to compare with; its SHA-256 is {digest}")
    if is_archive(entry.file):
        unpack(fetched, root)
        _unpack_inner(root)
    else:
        with explained_disk_errors(root):
            fetched.replace(root / entry.file)
    if entry.pointers:
        _fill_pointers(root, entry.pointers, advice, bar, notify)
    line = f"{digest}  {entry.file}\n"
    write_text(note, line)
    fetched.unlink(missing_ok=True)
    return line


def _megabytes(done: int, total: int) -> tuple[int, int]:
    return done // MEGABYTE, max(done, total) // MEGABYTE


def _unpack_inner(root: Path) -> None:
    """Unpack the archives that an archive contained, such as MELD's `train.tar.gz`, in their folders."""
    for inner in [root / path for path, _ in walk(root) if is_archive(path)]:
        unpack(inner, inner.parent)
        inner.unlink()


def _fill_pointers(root: Path, address: str, advice: str, bar: Bar, notify: Notify) -> None:
    """Replace Git LFS pointers by the files that they name; a pointer contains the SHA-256 of its file.

    The last folder of `address` is the folder of the pointers. A file that cannot be fetched stays a pointer, which `prepare`
    reports.
    """
    folder = PurePosixPath(urlsplit(address).path).name
    paths = [root / path for path, _ in walk(root) if f"/{path}".rpartition("/")[0].endswith(f"/{folder}")]
    pointers = {path: oid for path in paths if (oid := _pointer_hash(path))}
    failures = []

    def fill(path: Path, oid: str) -> None:
        try:
            temporary = root / WORK / path.name
            fetch(f"{address.rstrip('/')}/{quote(path.name)}", temporary, f"sha256:{oid}", advice)
            temporary.replace(path)
        except DataError as error:
            failures.append(str(error))

    with bar(f"files of {folder}") as progress, ThreadPoolExecutor(CONNECTIONS) as pool:
        running = [pool.submit(fill, path, oid) for path, oid in pointers.items()]
        try:
            for done, future in enumerate(running, start=1):
                future.result()
                progress(done, len(running))
        finally:
            pool.shutdown(cancel_futures=True)
    if failures:
        notify(f"{len(failures)} of {len(pointers)} files of {folder} could not be fetched: {failures[0]}")


def _pointer_hash(path: Path) -> str | None:
    """The SHA-256 in a Git LFS pointer; None for other files."""
    if path.stat().st_size > 1024:
        return None
    content = path.read_bytes()
    if not content.startswith(b"version https://git-lfs"):
        return None
    words = content.decode("ascii", errors="replace").split()
    return next((word.removeprefix("sha256:") for word in words if word.startswith("sha256:")), None)
