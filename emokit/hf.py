"""`import emokit.hf` registers emokit's models with transformers' Auto classes.

Afterwards `AutoModelForAudioClassification.from_pretrained("RUN/model")` and `transformers.pipeline` load them. Models of text
runs, but for probes, are transformers' own and need no registration.
"""

import importlib

import transformers

from emokit.modality.registry import MODALITIES, modality


def register() -> None:
    """Register the models of every modality; registering twice does nothing."""
    for name in MODALITIES:
        for auto_name, module_name, config_name, model_name in modality(name).auto_models:
            module = importlib.import_module(module_name)
            config = getattr(module, config_name)
            transformers.AutoConfig.register(config.model_type, config, exist_ok=True)
            getattr(transformers, auto_name).register(config, getattr(module, model_name), exist_ok=True)


register()
