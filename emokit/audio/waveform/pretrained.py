"""A pretrained speech encoder for training: located and loaded, with a new head and learning rates by layer."""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, PretrainedConfig

from emokit.audio.settings import AudioSettings, AudioTrainingSettings, FeatureSettings
from emokit.audio.waveform.encoder import UNPADDED, SpeechConfig, SpeechForAudioClassification, encoder_of
from emokit.audio.waveform.processor import MIN_SECONDS, SpeechProcessor, check_processor, read_processor
from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet
from emokit.runtime import seed_everything
from emokit.training.hub import check_weights, find_model, read_pretrained, remade
from emokit.training.layer_decay import depth, scaled_groups
from emokit.training.model_checks import check_finite, check_layers, check_no_more_layers

# Parameters without a layer's number (convolutions, projections, positions) are below the first layer.
LAYER, LOWEST = r"\.layers\.(\d+)\.", "."
# Weights that a checkpoint may lack: they are used in training only, or not at all.
UNNEEDED = ("masked_spec_embed", "pooler", "decoder")


def find_processor(settings: AudioSettings) -> tuple[Path, SpeechProcessor]:
    """The folder of the encoder that the settings name, downloaded if necessary, and its processor.

    Raises:
        UsageError: the encoder has another sample rate than the settings ask for, or a shorter input than a window.
        DataError: it is not available.
    """
    name, revision = str(settings.model.name), settings.model.revision
    folder = find_model(name, revision, pickled=True)
    processor = read_processor(folder, name, revision)
    sample_rate = settings.features.sample_rate
    if sample_rate not in (processor.sample_rate, FeatureSettings().sample_rate):
        raise UsageError(
            f"features.sample_rate is {sample_rate} and {name} takes {processor.sample_rate} Hz; leave it out: "
            "recordings are resampled to the encoder's rate."
        )
    if processor.max_seconds is not None and settings.data.window_seconds > processor.max_seconds:
        raise UsageError(
            f"data.window_seconds is {settings.data.window_seconds:g} and {name} takes at most "
            f"{processor.max_seconds:g} s; lower it."
        )
    return folder, processor


def read_encoder_config(settings: AudioSettings, folder: Path) -> PretrainedConfig:
    """The config of the encoder that the settings name, in its folder; its weights are not read.

    Raises:
        UsageError: the encoder needs custom code.
        DataError: the config is damaged, or states no layers.
    """
    name, revision = str(settings.model.name), settings.model.revision
    config: PretrainedConfig = read_pretrained(AutoConfig, folder, name, revision)
    check_layers(config, folder, remade(folder, name, revision))
    return config


def load_encoder(settings: AudioSettings) -> tuple[Any, SpeechProcessor]:
    """The encoder that the settings name, and its processor.

    Raises:
        UsageError: as `find_processor`; or the encoder needs custom code.
        DataError: it is not available, damaged, or not a speech encoder.
    """
    folder, processor = find_processor(settings)
    name, revision = str(settings.model.name), settings.model.revision
    check_weights(folder, name, revision, pickled=True)
    advice = remade(folder, name, revision)
    read_encoder_config(settings, folder)
    how: dict[str, Any] = {"dtype": torch.float32, "output_loading_info": True, "weights_only": True}
    how["use_safetensors"] = any(folder.glob("*.safetensors"))
    loaded, info = read_pretrained(AutoModel, folder, name, revision, **how)
    missing = sorted(key for key in info["missing_keys"] if not any(name in key for name in UNNEEDED))
    if missing:
        raise DataError(f"{folder} lacks weights of its encoder, {missing[0]} among them; download or make it again.")
    encoder = encoder_of(loaded)
    of_encoder = [key for key in info["unexpected_keys"] if not any(name in key for name in UNNEEDED)]
    check_no_more_layers(loaded, {"unexpected_keys": of_encoder}, folder, advice)
    check_finite(encoder, folder, advice)
    check_processor(processor, encoder.config, folder, advice)
    return encoder, processor


def pretrained(settings: AudioSettings, labels: LabelSet) -> SpeechForAudioClassification:
    """The encoder that the settings name with its processor and a new, seeded head for a label set; raises as `load_encoder`."""
    encoder, processor = load_encoder(settings)
    seed_everything(settings.training.seed)
    _disable_long_masks(encoder, processor)
    model = SpeechForAudioClassification(
        SpeechConfig(
            encoder=encoder.config.to_dict(),
            sample_rate=processor.sample_rate,
            padding=UNPADDED,
            **head_of(settings),
            id2label=labels.id2label,
            label2id=labels.label2id,
        ),
        encoder,
    )
    model.processor = processor
    return model


def head_of(settings: AudioSettings) -> dict[str, Any]:
    """Name -> value of what the config of a model states beside its encoder, its labels and its sample rate."""
    return {
        "frozen": settings.model.frozen,
        "classifier_hidden_size": settings.model.classifier_hidden_size,
        "dropout": settings.model.dropout,
        "window_seconds": settings.data.window_seconds,
        "window_overlap": settings.data.window_overlap,
    }


def layer_groups(model: SpeechForAudioClassification, training: AudioTrainingSettings) -> list[dict[str, Any]] | None:
    """The optimiser's parameter groups: the head at the full learning rate, encoder layers at lower rates towards the input.

    None where the encoder is frozen.
    """
    if model.config.frozen:
        return None
    top = len(model.layer_weights) - 1

    def scale(name: str) -> float:
        if not name.startswith("encoder."):
            return 1.0
        return training.encoder_lr_multiplier * training.layer_decay ** (top - depth(name, top, LAYER, LOWEST))

    return scaled_groups(model, scale, training.weight_decay)


def _disable_long_masks(encoder: Any, processor: SpeechProcessor) -> None:
    """Turn an encoder's masking off where its masks are longer than the shortest utterance, on which it would fail."""
    lengths = getattr(encoder, "_get_feat_extract_output_lengths", None)
    if lengths is None or not hasattr(encoder.config, "mask_time_length"):
        return
    shortest = int(lengths(torch.tensor(round(MIN_SECONDS * processor.sample_rate))))
    if encoder.config.mask_time_length >= shortest:
        encoder.config.apply_spec_augment = False
