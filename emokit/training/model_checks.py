"""Loading a run's model, and what refuses a model whose weights, config and run contradict each other."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from emokit.errors import DataError
from emokit.labels import LabelSet
from emokit.read_files import in_words, read_json
from emokit.settings import flat
from emokit.training.plain_model import PlainModel

CONFIG, WEIGHTS = "config.json", "model.safetensors"
OF_RUN = "train the run again with --force"
NUMBER = re.compile(r"\.\d+\.")  # of a layer, in the name of a tensor
# Buffers that inputs are divided by: at least a small number where emokit wrote them. A variance may be 0.
DEVIATIONS, VARIANCE = ("deviation", "feature_deviation"), "running_var"


def load_pretrained(model_class: Any, folder: Path) -> Any:
    """The model in a folder, from safetensors only, on the CPU and in evaluation mode.

    Args:
        model_class: a `PlainModel`, which is loaded without transformers, or a class of transformers.
        folder: that `save_pretrained` wrote.

    Raises:
        DataError: the folder is damaged, or a deviation in it is not above 0.
    """
    load = _load_plain if issubclass(model_class, PlainModel) else _load_from_transformers
    try:
        model, info, weights = load(model_class, folder)
    except Exception as error:  # torch, transformers and safetensors raise many kinds for a damaged folder
        raise DataError(
            f"{folder} holds no complete model ({in_words(error)}); train the run again with --force."
        ) from error
    check_tensors(info, folder)
    if weights:
        model.load_state_dict(weights, assign=True)
    check_finite(model, folder, OF_RUN)
    _check_deviations(model, folder)
    return model.eval()


def _load_plain(model_class: type[PlainModel], folder: Path) -> tuple[Any, Mapping[str, Any], Mapping[str, Tensor]]:
    """The model without values, what does not fit as transformers words it, and the values."""
    weights = {name: tensor.clone() for name, tensor in load_file(folder / WEIGHTS).items()}  # not the file's own pages
    with torch.device("meta"):  # no memory for the sizes of a config that may be damaged
        model = model_class(model_class.config_class(**read_json(folder / CONFIG)))
    shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
    info = {
        "missing_keys": shapes.keys() - weights.keys(),
        "unexpected_keys": weights.keys() - shapes.keys(),
        "mismatched_keys": [(name,) for name in shapes.keys() & weights.keys() if shapes[name] != weights[name].shape],
    }
    return model, info, weights


def _load_from_transformers(model_class: Any, folder: Path) -> tuple[Any, Mapping[str, Any], None]:
    model, info = model_class.from_pretrained(
        folder,
        local_files_only=True,
        use_safetensors=True,
        ignore_mismatched_sizes=True,
        output_loading_info=True,
    )
    return model, info, None


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


def _check_deviations(model: Any, folder: Path) -> None:
    """Refuse a model that would divide by 0, or by a number that is no deviation: values are clipped, so it would answer."""
    for name, values in model.named_buffers():
        statistic = name.rpartition(".")[2]
        if (statistic in DEVIATIONS and bool((values <= 0).any())) or (
            statistic == VARIANCE and bool((values < 0).any())
        ):
            raise DataError(f"{folder} has a damaged model ({name} has numbers that are no deviations); {OF_RUN}.")


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


def _unnumbered(name: str, prefix: str) -> str:
    return NUMBER.sub(".#.", name.removeprefix(prefix))
