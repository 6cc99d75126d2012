"""Finding and reading pretrained models: in a folder, else in the local cache, else on the Hugging Face hub."""

import contextlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet
from emokit.read_files import check_readable, in_words, read_json
from emokit.settings import flat

# Of the weights safetensors only: reading the other formats can run code.
DOWNLOADED = ("*.json", "*.txt", "*.model", "*.safetensors", "*.py")
IGNORED = ("onnx/*", "openvino/*", "coreml/*", "flax*", "tf_*")
CONFIG = "config.json"
PICKLED = "pytorch_model.bin"
NUMBER = re.compile(r"\.\d+\.")  # of a layer, in the name of a tensor
OF_RUN = "train the run again with --force"
# Model types of emokit's own audio models, which are no encoders; `emokit.hf` registers them.
OWN_TYPES = ("acrnn", "functionals", "emokit_probe", "emokit_speech")


def find_model(name: str, revision: str | None = None, *, pickled: bool = False, setting: str = "model.name") -> Path:
    """The folder of a pretrained model; the model is downloaded if it is neither a folder nor in the cache.

    Args:
        name: a folder, or a model's name on the Hugging Face hub.
        revision: a commit on the hub; None takes the newest.
        pickled: accept weights as `pytorch_model.bin` if there are no safetensors; read them with `weights_only`.
        setting: the setting or option that names the model, for errors.

    Raises:
        UsageError: the folder is the audio model of a run.
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
    """Refuse the folder of an audio model that emokit trained: transformers does not know its type."""
    kind = None
    with contextlib.suppress(DataError):  # a damaged config is reported where it is loaded
        config = read_json(folder / CONFIG)
        kind = config.get("model_type") if isinstance(config, dict) else None
    if kind in OWN_TYPES:
        raise UsageError(
            f"{folder} has the audio model of a run ({kind}), which is no pretrained model; "
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


def check_layers(config: Any, folder: Path, advice: str, names: Iterable[str] = ("num_hidden_layers",)) -> None:
    """Refuse a model whose config states no layers: it has none to train, and some fail without words.

    Args:
        config: of the model.
        folder: that it was read from, for errors.
        advice: what to do.
        names: of the numbers of layers in the config, where it has them.

    Raises:
        DataError: names the number.
    """
    for name in names:
        number = getattr(config, name, 1)
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise DataError(
                f"{folder / CONFIG} has {name} = {number!r} where a whole number above 0 was expected; {advice}."
            )


def check_no_more_layers(model: Any, info: Mapping[str, Any], folder: Path, advice: str) -> None:
    """Refuse a pretrained model whose weights have more layers than its config: the upper ones would be left out.

    Heads of the tasks that it was pretrained for may be left out; a layer is told by its name, which differs from one of the
    model's in numbers only.

    Args:
        model: as it was loaded.
        info: as `from_pretrained` returns it with `output_loading_info`.
        folder: that it was read from, for errors.
        advice: what to do.

    Raises:
        DataError: names the first tensor.
    """
    prefix = f"{model.base_model_prefix}."
    layers = {_unnumbered(name, prefix) for name in model.state_dict() if NUMBER.search(name)}
    extra = sorted(name for name in info["unexpected_keys"] if _unnumbered(name, prefix) in layers)
    if extra:
        raise DataError(
            f"{folder} has a damaged model ({extra[0]} has no place in the model of its {CONFIG}); {advice}."
        )


def _unnumbered(name: str, prefix: str) -> str:
    return NUMBER.sub(".#.", name.removeprefix(prefix))


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
