"""Finding and reading pretrained models: in a folder, else in the local cache, else on the Hugging Face hub."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet
from emokit.read_files import check_readable, in_words
from emokit.settings import flat

# Of the weights safetensors only: reading the other formats can run code.
DOWNLOADED = ("*.json", "*.txt", "*.model", "*.safetensors", "*.py")
IGNORED = ("onnx/*", "openvino/*", "coreml/*", "flax*", "tf_*")
CONFIG = "config.json"
PICKLED = "pytorch_model.bin"
OF_RUN = "train the run again with --force"


def find_model(name: str, revision: str | None = None, *, pickled: bool = False, setting: str = "model.name") -> Path:
    """The folder of a pretrained model; the model is downloaded if it is neither a folder nor in the cache.

    Args:
        name: a folder, or a model's name on the Hugging Face hub.
        revision: a commit on the hub; None takes the newest.
        pickled: accept weights as `pytorch_model.bin` if there are no safetensors; read them with `weights_only`.
        setting: the setting or option that names the model, for errors.

    Raises:
        DataError: the folder holds no model, or the model is not in the cache and cannot be downloaded.
    """
    folder = Path(name)
    if folder.is_dir():
        if not (folder / CONFIG).is_file():
            check_readable(folder)
            raise DataError(f"{folder} has no {CONFIG}, so it holds no model; name a folder that has one.")
        check_readable(*sorted(folder.iterdir()))
        return folder
    cached = _cached(name, revision)
    if cached and (cached / CONFIG).is_file() and has_weights(cached, pickled=pickled):
        return cached
    downloaded = _download(name, revision, DOWNLOADED, setting)
    if has_weights(downloaded) or not pickled:
        return downloaded
    return _download(name, revision, (*DOWNLOADED, PICKLED), setting)


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


def check_finite(model: Any, folder: Path, advice: str) -> None:
    """Refuse a model with weights that are not finite: it would answer, and training would be blamed on its settings.

    Args:
        model: of torch.
        folder: that it was read from, for errors.
        advice: what to do.

    Raises:
        DataError: names the first tensor.
    """
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise DataError(f"{folder} has a damaged model ({name} has numbers that are not finite); {advice}.")


def check_tensors(info: Mapping[str, Any], folder: Path) -> None:
    """Refuse a run's model whose file of weights and config do not fit each other: transformers would fill or leave out.

    Args:
        info: as `from_pretrained` returns it with `output_loading_info`.
        folder: of the model, for errors.

    Raises:
        DataError: names a tensor that is missing, has another shape, or has no place in the model of the config.
    """
    mismatched = [name for name, *_ in info["mismatched_keys"]]
    for names, fault in (
        (info["missing_keys"], "is missing"),
        (mismatched, f"has another shape than its {CONFIG} states"),
        (info["unexpected_keys"], f"has no place in the model of its {CONFIG}"),
    ):
        if names:
            raise DataError(f"{folder} has a damaged model ({sorted(names)[0]} {fault}); {OF_RUN}.")


def load_pretrained(model_class: Any, folder: Path) -> Any:
    """`model_class.from_pretrained(folder)` from safetensors only.

    Raises:
        DataError: the folder is damaged.
    """
    try:
        model, info = model_class.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    except Exception as error:  # transformers and safetensors raise many kinds for a damaged folder
        raise DataError(
            f"{folder} holds no complete model ({in_words(error)}); train the run again with --force."
        ) from error
    check_tensors(info, folder)
    check_finite(model, folder, OF_RUN)
    return model.eval()


def check_labels(config: Any, labels: LabelSet, folder: Path) -> None:
    """Refuse a run's model whose config names other labels, or the same in another order: each number would get another name.

    Raises:
        DataError: names both.
    """
    of_model = tuple(config.id2label.get(target) for target in range(config.num_labels))
    if of_model != tuple(labels):
        raise DataError(
            f"{folder} has a model of the labels {', '.join(map(str, of_model))} and its run has {', '.join(labels)}; "
            "train the run again with --force."
        )


def check_config(config: Any, of_run: Mapping[str, Any], folder: Path) -> None:
    """Refuse a run's model whose config states other settings than the run has, or another type than it was loaded as.

    Args:
        config: of the model.
        of_run: name -> value, as the run's settings have it.
        folder: of the model, for errors.

    Raises:
        DataError: names the first difference.
    """
    wanted = {"model_type": type(config).model_type, **of_run}
    check_agrees(folder / CONFIG, {name: getattr(config, name, None) for name in wanted}, wanted)


def check_agrees(path: Path, of_model: Mapping[str, Any], of_run: Mapping[str, Any]) -> None:
    """Refuse a run's model that was made with other settings than the run has: it would answer, and answer otherwise.

    Args:
        path: the file of the model that states them, for errors.
        of_model: name -> value in that file; it may have more names.
        of_run: name -> value, as the run's settings have it.

    Raises:
        DataError: names the first difference.
    """
    stated = flat(dict(of_model))
    for name, value in flat(dict(of_run)).items():
        if stated.get(name) != value:
            raise DataError(
                f"{path} has {name} = {stated.get(name)!r} and its run has {value!r}; train the run again with --force."
            )


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
