"""A probe: logistic regression on the mean and deviation over time of a frozen encoder's layers, with functionals on request.

Probing a frozen encoder with a linear model is the protocol of SUPERB and of EmoBox (Ma et al. 2024,
https://arxiv.org/abs/2406.07162); here every layer has values of its own in place of a weight.

Legend of the shapes: B windows, S samples, M mel bins, F frames of the log-mels, L layers, T frames, D values of the vector.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from emokit.audio.functionals.model import NUM_FUNCTIONALS
from emokit.audio.waveform.encoder import EncoderConfig, EncoderModel
from emokit.training.linear.model import LinearClassifier


class ProbeConfig(EncoderConfig):
    """The encoder's config, and what of its layers the probe takes."""

    model_type = "emokit_probe"

    def __init__(
        self,
        layers: Sequence[int] | None = None,
        functionals: bool = False,
        normalisation: str = "train",
        features: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.layers = None if layers is None else list(layers)
        self.functionals = functionals
        self.normalisation = normalisation
        self.features = features or {}
        super().__init__(**kwargs)


class ProbeForAudioClassification(LinearClassifier, EncoderModel):
    """Logits from a waveform, or from the log-mels that Whisper takes."""

    config_class = ProbeConfig

    def __init__(self, config: ProbeConfig, encoder: PreTrainedModel | None = None) -> None:
        """Put a probe on `encoder`, or on a new one with the config's shape."""
        EncoderModel.__init__(self, config, encoder)
        self.encoder.requires_grad_(False)
        self.chosen = list(range(self.num_states)) if config.layers is None else config.layers
        dim = 2 * len(self.chosen) * int(self.encoder.config.hidden_size)
        self.add_classifier(dim + (NUM_FUNCTIONALS if config.functionals else 0), config.num_labels)
        EncoderModel.post_init(self)

    def forward(
        self,
        input_values: Tensor | None = None,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        functionals: Tensor | None = None,
        return_dict: bool | None = None,
        **_: Any,
    ) -> SequenceClassifierOutput:
        """Output of the processor -> logits (B, classes).

        Args:
            input_values: waveforms (B, S), for encoders that take them.
            input_features: log-mels (B, M, F), for Whisper's.
            attention_mask: (B, S) or (B, F), 1 for audio and 0 for padding on the right; None without padding.
            functionals: (B, functionals) of the same windows, for a probe that takes them.
            return_dict: accepted for transformers; the return value is always an object.

        Raises:
            ValueError: the probe takes functionals and got none.
        """
        states, is_audio = self.layers(input_values, input_features, attention_mask)
        layers = torch.stack([states[number] for number in self.chosen], dim=1)  # (B, chosen, T, D)
        shown = torch.ones_like(layers[:, :1, :, :1]) if is_audio is None else is_audio[:, None, :, None].float()
        count = shown.sum(2)
        mean = (layers * shown).sum(2) / count
        deviation = ((layers - mean[:, :, None]).square() * shown).sum(2).div(count).sqrt()
        vectors = torch.stack([mean, deviation], dim=2).flatten(1)
        if self.config.functionals:
            if functionals is None:
                raise ValueError("the probe takes functionals of the log-mels beside the encoder's input")
            vectors = torch.cat([vectors, functionals], dim=1)
        return SequenceClassifierOutput(logits=self.classified(self.standardised(vectors)))
