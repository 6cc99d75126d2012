"""From raw emotion corpora to a calibrated, fused, honestly scored emotion model."""

from typing import TYPE_CHECKING, Any

from emokit.runtime import VERSION as __version__

if TYPE_CHECKING:
    from emokit.api.functions import load as load
    from emokit.api.functions import prepare as prepare
    from emokit.api.functions import train as train
    from emokit.api.model import Model as Model
    from emokit.api.results import Result as Result
    from emokit.api.results import Results as Results
    from emokit.api.run import Run as Run
    from emokit.errors import DataError as DataError
    from emokit.errors import EmokitError as EmokitError
    from emokit.errors import UsageError as UsageError
    from emokit.errors import WorkError as WorkError

# name -> its module; imported on first use, since every command imports emokit and few need these.
_PUBLIC = {
    **dict.fromkeys(("load", "prepare", "train"), "emokit.api.functions"),
    "Model": "emokit.api.model",
    **dict.fromkeys(("Result", "Results"), "emokit.api.results"),
    "Run": "emokit.api.run",
    **dict.fromkeys(("DataError", "EmokitError", "UsageError", "WorkError"), "emokit.errors"),
}
__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'emokit' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
