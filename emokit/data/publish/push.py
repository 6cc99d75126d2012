"""A prepared folder to the Hugging Face hub, as a data set that `load_dataset` and `emokit prepare hf:NAME` read."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emokit.data.prepared import open_prepared
from emokit.data.publish.card import data_set_card
from emokit.data.publish.data_set import write_parquet
from emokit.data.publish.licences import check_publishable
from emokit.data.publish.rows import published
from emokit.data.publish.upload import Upload, check_name, check_token, push


def push_prepared(folder: Path, name: str, *, private: bool = False) -> str:
    """Upload a prepared folder.

    Args:
        folder: a complete prepared folder.
        name: USER/NAME.
        private: make the repository a private one.

    Returns:
        the address of its page.

    Raises:
        UsageError: it has a corpus that may not be published, or as `upload.push` raises it.
        DataError: it is incomplete, or a recording is not the one that was prepared.
        WorkError: the hub cannot be reached.
    """
    check_name(name)
    check_token()
    with prepared_upload(folder, name) as upload:
        return push(upload, private=private)


@contextmanager
def prepared_upload(folder: Path, name: str) -> Iterator[Upload]:
    """What `push_prepared` uploads; its files are removed when the block ends."""
    check_name(name)
    prepared = open_prepared(folder)
    check_publishable(prepared)
    rows = published(prepared)
    with tempfile.TemporaryDirectory() as scratch:
        paths = write_parquet(rows, Path(scratch))
        card = data_set_card(prepared, name, has_audio=rows.has_audio)
        files: dict[str, Path | bytes] = {"README.md": card.encode()}
        files |= {path.relative_to(scratch).as_posix(): path for path in paths}
        yield Upload(name, "dataset", files, ("data/",))
