"""Emokit's own models as classes of transformers: to write their folders, and for its Auto classes and pipelines."""

import functools
import inspect
from typing import Any

import torch
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from emokit.training.plain_model import PlainConfig, PlainModel


@functools.cache
def config_in_transformers(plain: type[PlainConfig]) -> type[PretrainedConfig]:
    """The config class with the same name, arguments, default values and fields."""
    names = [name for name in inspect.signature(plain.__init__).parameters if name not in ("self", "kwargs")]

    def __init__(self: Any, **values: Any) -> None:
        own = plain(**{name: values.pop(name) for name in names if name in values})
        for name in names:
            setattr(self, name, getattr(own, name))
        PretrainedConfig.__init__(self, **values)

    content = {"__init__": __init__, "model_type": plain.model_type, **_origin(plain)}
    return type(plain.__name__, (PretrainedConfig,), content)


@functools.cache
def model_in_transformers(plain: type[PlainModel]) -> type[PreTrainedModel]:
    """The model class with the same name, tensors and logits."""

    of_config: Any = plain.config_class

    def __init__(self: Any, config: PretrainedConfig) -> None:
        plain.__init__(self, config)
        self.post_init()

    @functools.wraps(plain.forward)
    def forward(self: Any, *inputs: Any, **named: Any) -> SequenceClassifierOutput:
        return SequenceClassifierOutput(logits=plain.forward(self, *inputs, **named).logits)

    def keep(self: Any, module: torch.nn.Module) -> None:
        """Keep torch's initial values; transformers would draw all of them from N(0, 0.02)."""

    content = {
        "__init__": __init__,
        "forward": forward,
        "start": PreTrainedModel.__init__,
        "save_pretrained": PreTrainedModel.save_pretrained,
        "_init_weights": keep,
        "config_class": config_in_transformers(of_config),
        **_origin(plain),
    }
    return type(plain.__name__, (plain, PreTrainedModel), content)


def in_transformers(model: PlainModel) -> PreTrainedModel:
    """The same model, with the same tensors, as one of transformers."""
    plain: Any = type(model)
    model_class, of_config = model_in_transformers(plain), config_in_transformers(plain.config_class)
    with torch.device("meta"):  # neither memory nor random numbers for weights that are replaced
        result = model_class(of_config(**vars(model.config)))
    result.load_state_dict(model.state_dict(), assign=True)
    return result.train(model.training)


def _origin(plain: type) -> dict[str, Any]:
    return {"__module__": plain.__module__, "__doc__": plain.__doc__}
