"""A pretrained speech encoder with a small head over the weighted sum of its layers, averaged over frames.

The layer weights follow SUPERB (Yang et al. 2021, https://arxiv.org/abs/2105.01051) and are learnt with the head.

Legend of the shapes: B utterances, S samples, M mel bins, F frames of the log-mels, L layers, T frames, D features of a frame.
"""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from transformers import CONFIG_MAPPING, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from emokit.audio.waveform.hidden_states import hidden_states, ignore_padding

UNPADDED = "none"  # of `padding`: Whisper's encoder runs on the frames that are there


class EncoderConfig(PretrainedConfig):
    """An encoder's config, and the windows that it is given."""

    def __init__(
        self,
        encoder: dict[str, Any] | None = None,
        sample_rate: int = 16_000,
        window_seconds: float = 3.0,
        window_overlap: float = 0.0,
        padding: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.encoder = encoder or {"model_type": "wav2vec2"}
        self.sample_rate = sample_rate
        self.window_seconds = window_seconds
        self.window_overlap = window_overlap
        self.padding = padding
        super().__init__(**kwargs)

    def encoder_config(self) -> PretrainedConfig:
        """The encoder's config as an object of transformers."""
        values = copy.deepcopy(self.encoder)
        return CONFIG_MAPPING[values.pop("model_type")](**values)


class SpeechConfig(EncoderConfig):
    """The encoder's config, and the head's."""

    model_type = "emokit_speech"

    def __init__(
        self, frozen: bool = False, classifier_hidden_size: int = 128, dropout: float = 0.3, **kwargs: Any
    ) -> None:
        self.frozen = frozen
        self.classifier_hidden_size = classifier_hidden_size
        self.dropout = dropout
        super().__init__(**kwargs)


class EncoderModel(PreTrainedModel):
    """A model with a speech encoder that takes the output of its processor."""

    base_model_prefix = "encoder"
    main_input_name = "input_values"
    _supports_sdpa = True
    processor: Any = None
    """The `SpeechProcessor` of the encoder; set where the model is made or loaded."""

    def __init__(self, config: EncoderConfig, encoder: PreTrainedModel | None = None) -> None:
        """Take `encoder`, or a new one with the config's shape."""
        super().__init__(config)
        if encoder is None:
            from transformers import AutoModel

            encoder = encoder_of(AutoModel.from_config(config.encoder_config()))
        # Every layer is used, so none may be skipped: in the wav2vec 2.0 family, then in Whisper.
        encoder.config.layerdrop = encoder.layerdrop = 0.0
        self.encoder = encoder
        ignore_padding(encoder)

    def _init_weights(self, module: nn.Module) -> None:
        """Leave the initial values of torch and of the encoder."""

    @property
    def num_states(self) -> int:
        """Number of hidden states: of all layers, and the embeddings below them."""
        return 1 + int(self.encoder.config.num_hidden_layers)

    def layers(
        self,
        input_values: Tensor | None = None,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> tuple[tuple[Tensor, ...], Tensor | None]:
        """The hidden states (B, T, D) of all layers and the mask (B, T) of their frames, as `hidden_states` returns them."""
        return hidden_states(self.encoder, input_values, input_features, attention_mask)


class SpeechForAudioClassification(EncoderModel):
    """Logits from a waveform, or from the log-mels that Whisper takes."""

    config_class = SpeechConfig

    def __init__(self, config: SpeechConfig, encoder: PreTrainedModel | None = None) -> None:
        """Put a head on `encoder`, or on a new one with the config's shape."""
        super().__init__(config, encoder)
        # Zeros: all layers, and the embeddings below them, have equal weight at first.
        self.layer_weights = nn.Parameter(torch.zeros(self.num_states))
        self.head = nn.Sequential(
            nn.Linear(self.encoder.config.hidden_size, config.classifier_hidden_size),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.classifier_hidden_size, config.num_labels),
        )
        for name, parameter in self.encoder.named_parameters():
            # Unused in a batch without masks; several processes would wait for its gradient.
            parameter.requires_grad_(not name.endswith("masked_spec_embed") and parameter.requires_grad)
        if config.frozen:
            self.encoder.requires_grad_(False)
        elif hasattr(self.encoder, "freeze_feature_encoder"):
            # The convolutions are frozen in fine-tuning too, as in wav2vec 2.0 and its successors.
            self.encoder.freeze_feature_encoder()
        self.post_init()

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
        layer_means: Tensor | None = None,
        return_dict: bool | None = None,
        **_: Any,
    ) -> SequenceClassifierOutput:
        """Output of the processor, or what a frozen encoder made of it -> logits (B, classes).

        Args:
            input_values: waveforms (B, S), for encoders that take them.
            input_features: log-mels (B, M, F), for Whisper's.
            attention_mask: (B, S) or (B, F), 1 for audio and 0 for padding on the right; None without padding.
            layer_means: (B, L, D) in place of these three: the mean of each layer over the frames that are audio.
            return_dict: accepted for transformers; the return value is always an object.
        """
        if layer_means is not None:
            pooled = (self.layer_weights.softmax(0)[:, None] * layer_means).sum(1)
            return SequenceClassifierOutput(logits=self.head(pooled))
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
        """The frames (B, T, D) whose mean the head takes, and which of them are audio (B, T); None without padding.

        The arguments are those of `forward`.
        """
        states, is_audio = self.layers(input_values, input_features, attention_mask)
        shares = self.layer_weights.softmax(0)
        frames: Any = sum(share * layer for share, layer in zip(shares, states, strict=True))
        return frames, is_audio


def encoder_of(model: PreTrainedModel) -> PreTrainedModel:
    """The encoder of a model: the model itself, or the encoder of an encoder-decoder such as Whisper."""
    return model.get_encoder() if model.config.is_encoder_decoder else model
