"""Where a pretrained model lies: in a folder, else in the local cache, else on the hub; and how it is read from there."""

from pathlib import Path
from typing import Any

from emokit.errors import DataError, UsageError

# Safetensors: the other formats run code when they are read, unless they are read with care.
WANTED = ("*.json", "*.txt", "*.model", "*.safetensors", "*.py")
UNWANTED = ("onnx/*", "openvino/*", "coreml/*", "flax*", "tf_*")
CONFIG = "config.json"
PICKLED = "pytorch_model.bin"


def find_model(name: str, revision: str | None = None, *, pickled: bool = False) -> Path:
    """The folder of a pretrained model, fetched first where it must be.

    Args:
        name: a folder, or a model's name on the Hugging Face hub.
        revision: a commit of the hub's; None takes the newest that is there.
        pickled: take weights as `pytorch_model.bin` where there are none as safetensors; read them with `weights_only`.

    Raises:
        DataError: the folder holds no model; or the model is neither there, nor in the cache, nor to be fetched.
    """
    folder = Path(name)
    if folder.is_dir():
        if not (folder / CONFIG).is_file():
            raise DataError(f"{folder} has no {CONFIG}, so it holds no model; name a folder that has one.")
        return folder
    cached = _cached(name, revision)
    if cached and (cached / CONFIG).is_file() and has_weights(cached, pickled=pickled):
        return cached
    fetched = _fetched(name, revision, WANTED)
    return fetched if has_weights(fetched) or not pickled else _fetched(name, revision, (*WANTED, PICKLED))


def has_weights(folder: Path, *, pickled: bool = False) -> bool:
    """Whether a folder has weights in a form that is read."""
    return any(folder.glob("*.safetensors")) or (pickled and (folder / PICKLED).is_file())


def check_weights(folder: Path, name: str, revision: str | None, *, pickled: bool = False) -> None:
    """Refuse a folder without weights in a form that is read.

    Raises:
        DataError: there are none.
    """
    if not has_weights(folder, pickled=pickled):
        fetched = "" if folder == Path(name) else f"fetch them with {fetching(name, revision)}, "
        forms = f"as safetensors or {PICKLED}" if pickled else "as safetensors"
        raise DataError(
            f"{folder} has no weights {forms}, and emokit reads no others; {fetched}convert them or choose others."
        )


def fetching(name: str, revision: str | None = None) -> str:
    """The command that fetches a model into the cache."""
    return f"`hf download {name}" + (f" --revision {revision}`" if revision else "`")


def read_pretrained(
    kind: Any, folder: Path, name: str, revision: str | None, *, trust_remote_code: bool | None = None, **how: Any
) -> Any:
    """`kind.from_pretrained(folder)`, with every way in which it fails as a sentence.

    Args:
        kind: an Auto class of transformers.
        folder: as `find_model` found it.
        name, revision: what it was found for.
        trust_remote_code: run code that comes with it; None where that cannot be asked for.
        how: what else `from_pretrained` takes.

    Raises:
        UsageError: it needs code of its own that was not asked for.
        DataError: it is damaged.
    """
    how |= {"local_files_only": True, "trust_remote_code": bool(trust_remote_code)}
    try:
        return kind.from_pretrained(folder, **how)
    except Exception as error:  # transformers, tokenizers and safetensors raise many kinds
        reason = " ".join(str(error).split())
        if "trust_remote_code" in reason:
            known = "read that code, and add --trust-remote-code if you trust it"
            choice = "choose another model.name" if trust_remote_code is None else known
            raise UsageError(f"{name} runs code that comes with it; {choice}.") from error
        again = "make it again" if folder == Path(name) else f"delete {folder} and fetch it again with "
        again += "" if folder == Path(name) else fetching(name, revision)
        raise DataError(f"{folder} holds no whole model ({reason[:200]}); {again}.") from error


def _cached(name: str, revision: str | None) -> Path | None:
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, revision=revision, cache_dir=constants.HF_HUB_CACHE, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError, ValueError):
        return None


def _fetched(name: str, revision: str | None, wanted: tuple[str, ...]) -> Path:
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    absent = f"{name} is no folder and not in the cache of downloaded models"
    try:
        return Path(
            snapshot_download(
                name,
                revision=revision,
                cache_dir=constants.HF_HUB_CACHE,
                allow_patterns=list(wanted),
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
