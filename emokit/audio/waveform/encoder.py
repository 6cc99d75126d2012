"""A pretrained speech encoder with a small head over the weighted sum of its layers, averaged over frames.

The layer weights follow SUPERB (Yang et al. 2021, https://arxiv.org/abs/2105.01051) and are learnt with the head.

Legend of the shapes: B utterances, S samples, M mel bins, T frames, D features of a frame.
"""

import copy
import warnings
from typing import Any

import torch
from torch import Tensor, nn
from transformers import CONFIG_MAPPING, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput


class SpeechConfig(PretrainedConfig):
    """The encoder's config, and the head's."""

    model_type = "emokit_speech"

    def __init__(
        self,
        encoder: dict[str, Any] | None = None,
        frozen: bool = False,
        classifier_hidden_size: int = 128,
        dropout: float = 0.3,
        sample_rate: int = 16_000,
        window_seconds: float = 3.0,
        window_overlap: float = 0.0,
        **kwargs: Any,
    ) -> None:
        self.encoder = encoder or {"model_type": "wav2vec2"}
        self.frozen = frozen
        self.classifier_hidden_size = classifier_hidden_size
        self.dropout = dropout
        self.sample_rate = sample_rate
        self.window_seconds = window_seconds
        self.window_overlap = window_overlap
        super().__init__(**kwargs)

    def encoder_config(self) -> PretrainedConfig:
        """The encoder's config as an object of transformers."""
        values = copy.deepcopy(self.encoder)
        return CONFIG_MAPPING[values.pop("model_type")](**values)


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


class SpeechForAudioClassification(PreTrainedModel):
    """Logits from a waveform, or from the log-mels that Whisper takes."""

    config_class = SpeechConfig
    base_model_prefix = "encoder"
    main_input_name = "input_values"
    _supports_sdpa = True
    processor: Any = None
    """The `SpeechProcessor` of the encoder; set where the model is made or loaded."""

    def __init__(self, config: SpeechConfig, encoder: PreTrainedModel | None = None) -> None:
        """Put a head on `encoder`, or on a new one with the config's shape."""
        super().__init__(config)
        if encoder is None:
            from transformers import AutoModel

            encoder = encoder_of(AutoModel.from_config(config.encoder_config()))
        # Every layer has a weight, so none may be skipped: in the wav2vec 2.0 family, then in Whisper.
        encoder.config.layerdrop = encoder.layerdrop = 0.0
        self.encoder = encoder
        _ignore_padding(encoder)
        width, num_layers = encoder.config.hidden_size, encoder.config.num_hidden_layers
        # Zeros: all layers, and the embeddings below them, have equal weight at first.
        self.layer_weights = nn.Parameter(torch.zeros(1 + num_layers))
        self.head = nn.Sequential(
            nn.Linear(width, config.classifier_hidden_size),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.classifier_hidden_size, config.num_labels),
        )
        for name, parameter in encoder.named_parameters():
            # Unused in a batch without masks; several processes would wait for its gradient.
            parameter.requires_grad_(not name.endswith("masked_spec_embed") and parameter.requires_grad)
        if config.frozen:
            encoder.requires_grad_(False)
        elif hasattr(encoder, "freeze_feature_encoder"):
            # The convolutions are frozen in fine-tuning too, as in wav2vec 2.0 and its successors.
            encoder.freeze_feature_encoder()
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Leave the initial values of torch and of the encoder."""

    def train(self, mode: bool = True) -> "SpeechForAudioClassification":
        """Switch dropout and masking on; a frozen encoder's stay off."""
        super().train(mode)
        if self.config.frozen:
            self.encoder.eval()
        return self

    def forward(
        self,
        input_values: Tensor | None = None,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        return_dict: bool | None = None,
        **_: Any,
    ) -> SequenceClassifierOutput:
        """Output of the processor -> logits (B, classes).

        Args:
            input_values: waveforms (B, S), for encoders that take them.
            input_features: log-mels (B, M, frames), for Whisper's.
            attention_mask: (B, S) or (B, frames), 1 for audio and 0 for padding on the right; None without padding.
            return_dict: accepted for transformers; the return value is always an object.
        """
        frames, is_audio = self.time_steps(input_values, input_features, attention_mask)
        if is_audio is None:
            return SequenceClassifierOutput(logits=self.head(frames.mean(dim=1)))
        shown = is_audio[:, :, None]
        return SequenceClassifierOutput(logits=self.head((frames * shown).sum(1) / shown.sum(1)))

    def time_steps(
        self,
        input_values: Tensor | None = None,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """The frames (B, T, D) whose mean the head takes, and which of them are not padding (B, T); None without padding.

        The arguments are those of `forward`.
        """
        if input_values is not None:
            hidden = self._hidden_states(input_values, attention_mask)
        else:
            hidden = self.encoder(input_features, output_hidden_states=True).hidden_states
        shares = self.layer_weights.softmax(0)
        frames: Any = sum(share * layer for share, layer in zip(shares, hidden, strict=True))
        return frames, None if attention_mask is None else self._frame_mask(frames.shape[1], attention_mask)

    def _hidden_states(self, waveforms: Tensor, attention_mask: Tensor | None) -> tuple[Tensor, ...]:
        """The hidden states (B, T, D) of waveforms (B, S), the embeddings first."""
        first = _first_layer(self.encoder)
        if isinstance(getattr(first, "layer_norm", None), MaskedGroupNorm):
            samples = None if attention_mask is None else attention_mask.sum(1)
            kernel, stride = first.conv.kernel_size[0], first.conv.stride[0]
            first.layer_norm.lengths = None if samples is None else (samples - kernel) // stride + 1
        with warnings.catch_warnings():
            # WavLM passes torch masks of two types.
            warnings.filterwarnings("ignore", message="Support for mismatched key_padding_mask")
            return self.encoder(waveforms, attention_mask=attention_mask, output_hidden_states=True).hidden_states

    def _frame_mask(self, num_frames: int, attention_mask: Tensor) -> Tensor:
        """(B, T) which of the encoder's frames are not padding."""
        frame_mask = getattr(self.encoder, "_get_feature_vector_attention_mask", None)
        if frame_mask is not None:
            return frame_mask(num_frames, attention_mask)
        return attention_mask[:, :: attention_mask.shape[1] // num_frames] != 0


def encoder_of(model: PreTrainedModel) -> PreTrainedModel:
    """The encoder of a model: the model itself, or the encoder of an encoder-decoder such as Whisper."""
    return model.get_encoder() if model.config.is_encoder_decoder else model


def _ignore_padding(encoder: PreTrainedModel) -> None:
    """Replace a normalisation over time by one without the padding."""
    first = _first_layer(encoder)
    if isinstance(norm := getattr(first, "layer_norm", None), nn.GroupNorm):
        first.layer_norm = MaskedGroupNorm(norm)
        first.layer_norm.weight, first.layer_norm.bias = norm.weight, norm.bias


def _first_layer(encoder: PreTrainedModel) -> Any:
    """The first convolution over the waveform with its normalisation; None where the encoder has none."""
    return next(iter(getattr(getattr(encoder, "feature_extractor", None), "conv_layers", ())), None)
