"""Hidden states of a speech encoder: of all layers, for batches in which padding changes nothing.

Whisper (Radford et al. 2022, https://arxiv.org/abs/2212.04356) was trained on recordings padded to 30 s. Its encoder runs here on
the frames that are there, with the first of its positions: a recording of 3 s costs a tenth.

Legend of the shapes: B utterances, S samples, M mel bins, F frames of the log-mels, T of the encoder, D values of a frame.
"""

import warnings
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, gelu
from transformers import PreTrainedModel


class MaskedGroupNorm(nn.GroupNorm):
    """The normalisation over time of a wav2vec 2.0 base model, without the padding.

    The original includes padding: there, an utterance's values depend on the lengths of the others in its batch.
    """

    def __init__(self, other: nn.GroupNorm) -> None:
        super().__init__(other.num_groups, other.num_channels, other.eps, other.affine)
        self.lengths: Tensor | None = None
        """(B,) number of frames without padding, in the next call; None without padding."""

    def forward(self, hidden: Tensor) -> Tensor:
        """(B, channels, frames) -> the same shape, each channel standardised over the frames that are not padding."""
        if self.lengths is None:
            return super().forward(hidden)
        full = hidden.float()
        is_audio = (torch.arange(hidden.shape[2], device=hidden.device) < self.lengths[:, None])[:, None]  # (B, 1, T)
        count = self.lengths[:, None, None].clamp_min(1)
        mean = (full * is_audio).sum(2, keepdim=True) / count
        variance = ((full - mean).square() * is_audio).sum(2, keepdim=True) / count
        standard = ((full - mean) * torch.rsqrt(variance + self.eps)).to(hidden.dtype)
        return standard * self.weight[:, None] + self.bias[:, None]


def hidden_states(
    encoder: PreTrainedModel,
    input_values: Tensor | None = None,
    input_features: Tensor | None = None,
    attention_mask: Tensor | None = None,
) -> tuple[tuple[Tensor, ...], Tensor | None]:
    """The hidden states of a batch.

    Args:
        encoder: prepared by `ignore_padding`.
        input_values: waveforms (B, S), for encoders that take them.
        input_features: log-mels (B, M, F), for Whisper's.
        attention_mask: (B, S) or (B, F), 1 for audio and 0 for padding on the right; None without padding.

    Returns:
        (B, T, D) of each layer, the embeddings first; and (B, T) bool, which frames are audio, None without padding.
    """
    if input_features is not None:
        return _of_log_mels(encoder, input_features, attention_mask)
    first = _first_layer(encoder)
    if isinstance(getattr(first, "layer_norm", None), MaskedGroupNorm):
        samples = None if attention_mask is None else attention_mask.sum(1)
        kernel, stride = first.conv.kernel_size[0], first.conv.stride[0]
        first.layer_norm.lengths = None if samples is None else (samples - kernel) // stride + 1
    with warnings.catch_warnings():
        # WavLM passes torch masks of two types.
        warnings.filterwarnings("ignore", message="Support for mismatched key_padding_mask")
        states = encoder(input_values, attention_mask=attention_mask, output_hidden_states=True).hidden_states
    if attention_mask is None:
        return states, None
    return states, encoder._get_feature_vector_attention_mask(states[0].shape[1], attention_mask).bool()


def ignore_padding(encoder: PreTrainedModel) -> None:
    """Replace a normalisation over time by one without the padding."""
    first = _first_layer(encoder)
    if isinstance(norm := getattr(first, "layer_norm", None), nn.GroupNorm):
        first.layer_norm = MaskedGroupNorm(norm)
        first.layer_norm.weight, first.layer_norm.bias = norm.weight, norm.bias


def _of_log_mels(
    encoder: Any, log_mels: Tensor, attention_mask: Tensor | None
) -> tuple[tuple[Tensor, ...], Tensor | None]:
    """As `hidden_states`, of Whisper's encoder: its own forward pass takes no other length than 30 s."""
    if attention_mask is not None:  # the pipeline of transformers gives one of samples
        attention_mask = attention_mask[:, :: attention_mask.shape[1] // log_mels.shape[2]]
    is_audio = None if attention_mask is None else attention_mask[:, None].to(log_mels.dtype)  # (B, 1, F)

    def unpadded(values: Tensor) -> Tensor:
        # Zeros beyond the end, as the convolutions' own padding of a recording alone.
        return values if is_audio is None else values * is_audio

    hidden = gelu(encoder.conv1(unpadded(log_mels)))
    hidden = gelu(encoder.conv2(unpadded(hidden))).transpose(1, 2)  # (B, T, D)
    hidden = hidden + encoder.embed_positions.weight[: hidden.shape[1]]
    hidden = dropout(hidden, encoder.dropout, encoder.training)
    frames = blocked = None
    if attention_mask is not None:
        frames = attention_mask[:, :: encoder.conv2.stride[0]] != 0  # (B, T)
        lowest = torch.finfo(hidden.dtype).min
        blocked = torch.zeros(frames.shape, dtype=hidden.dtype, device=hidden.device).masked_fill(~frames, lowest)
        blocked = blocked[:, None, None].expand(-1, 1, frames.shape[1], -1)  # (B, 1, T, T)
    states = [hidden]
    for layer in encoder.layers:
        hidden = layer(hidden, blocked)
        states.append(hidden)
    states[-1] = encoder.layer_norm(hidden)
    return tuple(states), frames


def _first_layer(encoder: PreTrainedModel) -> Any:
    """The first convolution over the waveform with its normalisation; None where the encoder has none."""
    return next(iter(getattr(getattr(encoder, "feature_extractor", None), "conv_layers", ())), None)
