"""Files to the Hugging Face hub, in one commit: all of them arrive, or none.

The token is that of `hf auth login` or of HF_TOKEN; emokit never reads it from anywhere else, and never shows it.
"""

import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emokit.errors import EmokitError, UsageError, WorkError
from emokit.safe_text import mask_secrets

NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
UNAUTHORISED, FORBIDDEN, CONFLICTS = 401, 403, (409, 412)


@dataclass(frozen=True)
class Upload:
    """What a repository is to hold.

    Attributes:
        name: USER/NAME.
        kind: `model` or `dataset`.
        files: path in the repository -> the file, or its content.
        folders: the folders of the repository that hold these files alone: what an earlier push left there is removed.
    """

    name: str
    kind: str
    files: Mapping[str, Path | bytes]
    folders: tuple[str, ...]

    @property
    def sizes(self) -> dict[str, int]:
        """Path in the repository -> size in bytes."""
        return {
            name: len(content) if isinstance(content, bytes) else content.stat().st_size
            for name, content in self.files.items()
        }


def check_name(name: str) -> None:
    """Refuse what is no name of a repository.

    Raises:
        UsageError: there is no slash in it, or the hub allows no such name.
    """
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    try:
        if not NAME.fullmatch(name):
            raise HFValidationError
        validate_repo_id(name)
    except HFValidationError as error:
        raise UsageError(
            f"{name} is no name of a repository on the hub; expected USER/NAME with letters, digits, '_', '.' and '-', at most "
            "96, without '--', '..' or '.git' at its end."
        ) from error


def check_token() -> None:
    """Refuse to begin without a token.

    Raises:
        UsageError: the user is not logged in.
    """
    import huggingface_hub

    if huggingface_hub.get_token() is None:
        raise UsageError(
            "There is no token of the Hugging Face hub; log in with `hf auth login`, or set HF_TOKEN to one that may write."
        )


def push(upload: Upload, *, private: bool = False) -> str:
    """Upload, making the repository if it is missing.

    Args:
        upload: what and where.
        private: make the repository a private one.

    Returns:
        the address of its page.

    Raises:
        UsageError: there is no token, or it may not write there, or the repository is public and `private` was asked for.
        WorkError: the hub cannot be reached, or failed; nothing of the upload is visible then.
    """
    import huggingface_hub
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    check_name(upload.name)
    check_token()
    huggingface_hub.utils.disable_progress_bars()
    api = huggingface_hub.HfApi(library_name="emokit")
    with _explained(upload.name, api.endpoint), warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "It seems that you are about to commit a data file"
        )  # predictions, beside a model
        address = api.create_repo(upload.name, repo_type=upload.kind, private=private or None, exist_ok=True)
        before: Any = api.repo_info(upload.name, repo_type=upload.kind)
        if private and not before.private:
            raise UsageError(
                f"{upload.name} exists on the hub and is public, and --private only makes new repositories private; "
                "name another, or change it in its settings."
            )
        stale = [
            file.rfilename
            for file in before.siblings or ()
            if file.rfilename.startswith(upload.folders) and file.rfilename not in upload.files
        ]
        operations: list[Any] = [CommitOperationAdd(name, content) for name, content in upload.files.items()]
        operations += [CommitOperationDelete(name) for name in stale]
        api.create_commit(
            upload.name,
            operations,
            commit_message="Upload by emokit",
            repo_type=upload.kind,
            parent_commit=before.sha,
        )
    return str(address)


@contextmanager
def _explained(name: str, endpoint: str) -> Iterator[None]:
    """Turn the errors of the hub and of the network into sentences."""
    try:
        yield
    except (EmokitError, MemoryError):
        raise
    except Exception as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status == UNAUTHORISED:
            raise UsageError(
                f"{endpoint} does not accept the token (401); log in again with `hf auth login`, or set HF_TOKEN to a valid one."
            ) from error
        if status == FORBIDDEN:
            raise UsageError(
                f"The token may not write to {name} (403); use one with write access, or name a repository of your own."
            ) from error
        if status in CONFLICTS:
            raise WorkError(
                f"{name} was changed while it was uploaded to ({status}); run the command again."
            ) from error
        reason = mask_secrets(" ".join(str(error).split()))[:200] or type(error).__name__
        if status is not None:
            raise WorkError(f"{endpoint} failed ({status}: {reason}); run the command again later.") from error
        raise WorkError(
            f"{endpoint} cannot be reached ({reason}); check the network, and HF_ENDPOINT and HF_HUB_OFFLINE if they are set."
        ) from error
