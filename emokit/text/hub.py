"""Where a pretrained model lies: in a folder, else in the local cache, else on the hub."""

from pathlib import Path

from emokit.errors import DataError

# Safetensors only: the other formats run code when they are read.
WANTED = ("*.json", "*.txt", "*.model", "*.safetensors", "*.py")
UNWANTED = ("onnx/*", "openvino/*", "coreml/*", "flax*", "tf_*")
CONFIG = "config.json"


def find_model(name: str, revision: str | None = None) -> Path:
    """The folder of a pretrained model, fetched first where it must be.

    Args:
        name: a folder, or a model's name on the Hugging Face hub.
        revision: a commit of the hub's; None takes the newest that is there.

    Raises:
        DataError: the folder holds no model; or the model is neither there, nor in the cache, nor to be fetched.
    """
    folder = Path(name)
    if folder.is_dir():
        if not (folder / CONFIG).is_file():
            raise DataError(f"{folder} has no {CONFIG}, so it holds no model; name a folder that has one.")
        return folder
    cached = _cached(name, revision)
    if cached and (cached / CONFIG).is_file() and any(cached.glob("*.safetensors")):
        return cached
    return _fetched(name, revision)


def fetching(name: str, revision: str | None = None) -> str:
    """The command that fetches a model into the cache."""
    return f"`hf download {name}" + (f" --revision {revision}`" if revision else "`")


def _cached(name: str, revision: str | None) -> Path | None:
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, revision=revision, cache_dir=constants.HF_HUB_CACHE, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError, ValueError):
        return None


def _fetched(name: str, revision: str | None) -> Path:
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    absent = f"{name} is no folder and not in the cache of downloaded models"
    try:
        return Path(
            snapshot_download(
                name,
                revision=revision,
                cache_dir=constants.HF_HUB_CACHE,
                allow_patterns=list(WANTED),
                ignore_patterns=list(UNWANTED),
            )
        )
    except HFValidationError as error:
        raise DataError(f"{name} is no folder and no name that the hub can have; mend model.name.") from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise DataError(f"{absent}, and the hub has none of this name that you may read; mend model.name.") from error
    except Exception as error:  # offline, and every way in which a network fails
        raise DataError(
            f"{absent}, and the hub cannot be reached; fetch it where there is a network with {fetching(name, revision)}."
        ) from error
