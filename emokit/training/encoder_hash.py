"""The hash of a frozen encoder: what its layers are cached under."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch

UNUSED_CONFIG = ("_name_or_path", "transformers_version", "architectures", "dtype")


def used_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of an encoder's config that may change what it computes."""
    return {name: value for name, value in config.items() if name not in UNUSED_CONFIG}


def encoder_hash(about: Sequence[Any], weights: Mapping[str, torch.Tensor], unused: Sequence[str] = ()) -> str:
    """Identifies an encoder by its weights and by what else decides its layers, not by its name or folder: 16 digits.

    Args:
        about: what else decides: plain values that JSON can hold, such as `used_config` returns.
        weights: the encoder's state.
        unused: parts of the names of weights that no layer depends on, which may be random.
    """
    digest = hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode())
    for name, tensor in sorted(weights.items()):
        if any(part in name for part in unused):
            continue
        digest.update(f"{name} {tuple(tensor.shape)}".encode())
        stored: Any = tensor.detach().cpu().contiguous().view(torch.uint8).numpy()
        digest.update(stored)
    return digest.hexdigest()[:16]
