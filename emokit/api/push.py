"""`emokit push`: a run or a prepared folder to the Hugging Face hub."""

import contextlib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from emokit import runs
from emokit.data.prepared import FINGERPRINT
from emokit.data.publish.local_paths import LocalPaths
from emokit.data.publish.push import prepared_upload
from emokit.data.publish.upload import Upload, check_name, check_token, push
from emokit.run_files import OF_MODEL, OF_PREDICTIONS
from emokit.schema.fusion import FUSION

# What a run needs to be loaded and judged. Its environment has command lines and folders, its logs and checkpoints are for
# going on with it, and its ledger names the user's files.
FILES = (runs.CARD, runs.METRICS, runs.SETTINGS, FUSION)
# Nothing else in them: a user may have put a file of their own there.
FOLDERS = {runs.MODEL: OF_MODEL, runs.PREDICTIONS: OF_PREDICTIONS}


def push_folder(folder: Path, name: str, *, private: bool = False) -> str:
    """Upload a run as a model, or a prepared folder as a data set.

    Args:
        folder: a complete run folder, or a complete prepared folder.
        name: USER/NAME.
        private: make the repository a private one.

    Returns:
        the address of its page.

    Raises:
        UsageError: the name is none, there is no token, it may not write there, or a corpus may not be published.
        DataError: the folder is neither of the two, is incomplete, or is a run without a model of its own.
        WorkError: the hub cannot be reached, or failed.
    """
    check_name(name)
    check_token()
    with upload_of(folder, name) as upload:
        return push(upload, private=private)


@contextlib.contextmanager
def upload_of(folder: Path, name: str) -> Iterator[Upload]:
    """What `push_folder` uploads; temporary files among it are removed when the block ends."""
    check_name(name)
    if (folder / FINGERPRINT).exists() or runs.is_prepared(folder):
        with prepared_upload(folder, name) as upload:
            yield upload
    else:
        yield _run_upload(folder, name)


def _run_upload(run: Path, name: str) -> Upload:
    """The files of a complete run that are published, without paths of this computer in them."""
    runs.check_complete(run)
    if not (run / FUSION).exists():
        runs.model_folder(run)
    settings, environment = runs.read_settings(run), runs.read_environment(run)
    folders = (Path.home(), Path.cwd(), run.absolute().parent, run.resolve().parent)
    paths = LocalPaths(folders, [settings, environment.get("data"), runs.read_metrics(run)])
    files = [run / file for file in FILES if (run / file).is_file()]
    for inner, names in FOLDERS.items():
        inside = sorted((run / inner).iterdir()) if (run / inner).is_dir() else []
        files += [path for path in inside if path.is_file() and any(fnmatchcase(path.name, name) for name in names)]
    published = {file.relative_to(run).as_posix(): paths.published(file) for file in files}
    if (run / runs.CARD).is_file():
        # The card of a run says how to use it in its folder RUN; on the hub, that is downloaded first.
        text = paths.masked((run / runs.CARD).read_text(encoding="utf-8"))
        here, download = "    emokit predict RUN", f"    hf download {name} --local-dir RUN\n"
        published[runs.CARD] = text.replace(here, download + here, 1).encode()
    return Upload(
        name,
        "model",
        published,
        tuple(f"{inner}/" for inner in FOLDERS),
    )
