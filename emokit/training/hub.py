"""Finding and reading pretrained models: in a folder, else in the local cache, else on the Hugging Face hub."""

import contextlib
from pathlib import Path
from typing import Any

from emokit.errors import DataError, UsageError
from emokit.read_files import check_readable, in_words, read_json
from emokit.training.model_checks import CONFIG

# Of the weights safetensors only: reading the other formats can run code.
DOWNLOADED = ("*.json", "*.txt", "*.model", "*.safetensors", "*.py")
IGNORED = ("onnx/*", "openvino/*", "coreml/*", "flax*", "tf_*")
PICKLED = "pytorch_model.bin"
# Model types of emokit's own models, which are no encoders.
OWN_TYPES = ("acrnn", "functionals", "emokit_probe", "emokit_speech", "emokit_text_probe")


def find_model(name: str, revision: str | None = None, *, pickled: bool = False, setting: str = "model.name") -> Path:
    """The folder of a pretrained model; the model is downloaded if it is neither a folder nor in the cache.

    Args:
        name: a folder, or a model's name on the Hugging Face hub.
        revision: a commit on the hub; None takes the newest.
        pickled: accept weights as `pytorch_model.bin` if there are no safetensors; read them with `weights_only`.
        setting: the setting or option that names the model, for errors.

    Raises:
        UsageError: the folder is the model of a run.
        DataError: the folder holds no model, or the model is not in the cache and cannot be downloaded.
    """
    folder = Path(name)
    if folder.is_dir():
        if not (folder / CONFIG).is_file():
            check_readable(folder)
            raise DataError(f"{folder} has no {CONFIG}, so it holds no model; name a folder that has one.")
        check_readable(*sorted(folder.iterdir()))
        _refuse_own(folder, setting)
        return folder
    cached = _cached(name, revision)
    if cached and (cached / CONFIG).is_file() and has_weights(cached, pickled=pickled):
        return cached
    downloaded = _download(name, revision, DOWNLOADED, setting)
    if has_weights(downloaded) or not pickled:
        return downloaded
    return _download(name, revision, (*DOWNLOADED, PICKLED), setting)


def _refuse_own(folder: Path, setting: str) -> None:
    """Refuse the folder of a model that emokit trained: transformers does not know its type."""
    kind = None
    with contextlib.suppress(DataError):  # a damaged config is reported where it is loaded
        config = read_json(folder / CONFIG)
        kind = config.get("model_type") if isinstance(config, dict) else None
    if kind in OWN_TYPES:
        raise UsageError(
            f"{folder} has the model of a run ({kind}), which is no pretrained model; "
            f"name the pretrained model that it was made from, or another, as {setting}."
        )


def has_weights(folder: Path, *, pickled: bool = False) -> bool:
    """Whether a folder has weights in a format that emokit reads."""
    return any(folder.glob("*.safetensors")) or (pickled and (folder / PICKLED).is_file())


def check_weights(folder: Path, name: str, revision: str | None, *, pickled: bool = False) -> None:
    """Refuse a folder without weights in a format that emokit reads.

    Raises:
        DataError: there are none.
    """
    if not has_weights(folder, pickled=pickled):
        download = "" if folder == Path(name) else f"fetch them with {fetching(name, revision)}, "
        formats = f"as safetensors or {PICKLED}" if pickled else "as safetensors"
        raise DataError(
            f"{folder} has no weights {formats}, and emokit reads no others; {download}convert them or choose others."
        )


def fetching(name: str, revision: str | None = None) -> str:
    """The command that downloads a model into the cache."""
    return f"`hf download {name}" + (f" --revision {revision}`" if revision else "`")


def read_pretrained(
    kind: Any, folder: Path, name: str, revision: str | None, *, trust_remote_code: bool | None = None, **options: Any
) -> Any:
    """`kind.from_pretrained(folder)`, with each of its errors as a sentence.

    Args:
        kind: an Auto class of transformers.
        folder: the result of `find_model`.
        name, revision: the arguments of `find_model`.
        trust_remote_code: run code that comes with the model; None where the command has no such option.
        options: further arguments of `from_pretrained`.

    Raises:
        UsageError: the model comes with code, and `trust_remote_code` was not given.
        DataError: the model is damaged.
    """
    options |= {"local_files_only": True, "trust_remote_code": bool(trust_remote_code)}
    try:
        return kind.from_pretrained(folder, **options)
    except Exception as error:  # transformers, tokenizers and safetensors raise many types
        if "trust_remote_code" in str(error):
            option = "read that code, and add --trust-remote-code if you trust it"
            advice = "choose another model.name" if trust_remote_code is None else option
            raise UsageError(f"{name} runs code that comes with it; {advice}.") from error
        raise DataError(
            f"{folder} holds no complete model ({in_words(error)}); {remade(folder, name, revision)}."
        ) from error


def remade(folder: Path, name: str, revision: str | None) -> str:
    """What to do about a damaged model: make its folder again, or fetch it again where it was downloaded."""
    if folder == Path(name):
        return "make it again"
    return f"delete {folder} and fetch it again with {fetching(name, revision)}"


def _cached(name: str, revision: str | None) -> Path | None:
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, revision=revision, cache_dir=constants.HF_HUB_CACHE, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError, ValueError):
        return None


def _download(name: str, revision: str | None, patterns: tuple[str, ...], setting: str) -> Path:
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    absent = f"{name} is no folder and not in the cache of downloaded models"
    try:
        return Path(
            snapshot_download(
                name,
                revision=revision,
                cache_dir=constants.HF_HUB_CACHE,
                allow_patterns=list(patterns),
                ignore_patterns=list(IGNORED),
            )
        )
    except HFValidationError as error:
        raise DataError(f"{name} is no folder and no valid name of a model on the hub; correct {setting}.") from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise DataError(
            f"{absent}, and the hub has no model of this name that you may read; correct {setting}."
        ) from error
    except Exception as error:  # offline, and any other failure of the network
        raise DataError(
            f"{absent}, and the hub cannot be reached; fetch it where there is a network with {fetching(name, revision)}."
        ) from error
