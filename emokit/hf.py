"""`import emokit.hf` registers emokit's models with transformers' Auto classes.

Afterwards `AutoModelForAudioClassification.from_pretrained("RUN/model")` and `transformers.pipeline` load them. Models of text
runs, but for probes, are transformers' own and need no registration.
"""

import importlib

import transformers

from emokit.modality.registry import MODALITIES, modality
from emokit.training.in_transformers import config_in_transformers, model_in_transformers
from emokit.training.plain_model import PlainConfig, PlainModel


def register() -> None:
    """Register the models of every modality; registering twice does nothing."""
    for name in MODALITIES:
        for auto_name, module_name, config_name, model_name in modality(name).auto_models:
            module = importlib.import_module(module_name)
            config, model = getattr(module, config_name), getattr(module, model_name)
            if issubclass(config, PlainConfig):
                config = config_in_transformers(config)
            if issubclass(model, PlainModel):
                model = model_in_transformers(model)
            transformers.AutoConfig.register(config.model_type, config, exist_ok=True)
            getattr(transformers, auto_name).register(config, model, exist_ok=True)


register()
