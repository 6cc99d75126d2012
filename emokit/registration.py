"""Has transformers know emokit's models of sound, so that its Auto classes load them after `import emokit`.

transformers takes seconds to import and is not imported for it: once its own registry of models is, emokit's are entered.
"""

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

REGISTRY = "transformers.models.auto.modeling_auto"
MODELS = (
    ("emokit.audio.model", "AcrnnConfig", "AcrnnForAudioClassification"),
    ("emokit.audio.functionals", "FunctionalsConfig", "FunctionalsForAudioClassification"),
    ("emokit.audio.encoder", "SpeechConfig", "SpeechForAudioClassification"),
)


class Follower(MetaPathFinder, Loader):
    """Lets the registry be found and loaded as ever, and enters emokit's models after that."""

    def __init__(self) -> None:
        self.own: Loader | None = None
        """What loads the registry."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The registry where it lies, to be loaded by this; None for any other module, which others find."""
        spec = PathFinder.find_spec(name, path, target) if name == REGISTRY else None
        if spec is not None:
            self.own, spec.loader = spec.loader, self
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the registry's own loader makes it."""
        return self.own.create_module(spec) if self.own else None

    def exec_module(self, module: ModuleType) -> None:
        """Load the registry, then enter the models."""
        if self.own:
            self.own.exec_module(module)
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        register(module)


def register(registry: ModuleType) -> None:
    """Enter emokit's models into transformers' registry of models."""
    from transformers import AutoConfig

    for place, config_name, model_name in MODELS:
        module = importlib.import_module(place)
        config = getattr(module, config_name)
        AutoConfig.register(config.model_type, config, exist_ok=True)
        registry.AutoModelForAudioClassification.register(config, getattr(module, model_name), exist_ok=True)


def follow() -> None:
    """Enter the models now where the registry is imported already, else when it is."""
    if REGISTRY in sys.modules:
        register(sys.modules[REGISTRY])
    else:
        sys.meta_path.insert(0, Follower())
