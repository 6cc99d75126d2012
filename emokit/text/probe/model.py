"""A probe: logistic regression on the mean over the tokens of layers of a frozen text encoder.

Legend of the shapes: B texts, T tokens, L layers that the probe takes, D the encoder's hidden size.
"""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import CONFIG_MAPPING, AutoModelForSequenceClassification, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet
from emokit.text.settings import ModelSettings
from emokit.training.linear.model import LinearClassifier
from emokit.training.model_checks import load_pretrained


class TextProbeConfig(PretrainedConfig):
    """The encoder's config, and which of its layers the probe takes."""

    model_type = "emokit_text_probe"

    def __init__(
        self, encoder: dict[str, Any] | None = None, layers: Sequence[int] | None = None, **kwargs: Any
    ) -> None:
        self.encoder = encoder or {"model_type": "bert"}
        self.layers = None if layers is None else list(layers)
        super().__init__(**kwargs)

    def encoder_config(self) -> PretrainedConfig:
        """The encoder's config as an object of transformers."""
        values = copy.deepcopy(self.encoder)
        return CONFIG_MAPPING[values.pop("model_type")](**values)


class ProbeForTextClassification(LinearClassifier, PreTrainedModel):
    """Logits from tokens."""

    config_class = TextProbeConfig
    base_model_prefix = "encoder"
    main_input_name = "input_ids"
    _supports_sdpa = True

    def __init__(self, config: TextProbeConfig, encoder: PreTrainedModel | None = None) -> None:
        """Put a probe on `encoder`, or on a new one with the config's shape."""
        super().__init__(config)
        if encoder is None:
            encoder = AutoModelForSequenceClassification.from_config(config.encoder_config()).base_model
        self.encoder = encoder.requires_grad_(False)
        self.top = int(encoder.config.num_hidden_layers)
        self.chosen = [self.top] if config.layers is None else config.layers
        self.add_classifier(len(self.chosen) * int(encoder.config.hidden_size), config.num_labels)
        PreTrainedModel.post_init(self)

    def _init_weights(self, module: nn.Module) -> None:
        """Leave the initial values of torch and of the encoder."""

    def pooled(self, **inputs: Tensor) -> Tensor:
        """Output of the tokenizer (B, T) -> the mean over the tokens of each layer that the probe takes, (B, L, D) float32."""
        by_layer = self.chosen != [self.top]
        output = self.encoder(**inputs, output_hidden_states=by_layer, return_dict=True)
        # The last one may be normalised where the hidden state of its number is not.
        states = [
            output.last_hidden_state if number == self.top else output.hidden_states[number] for number in self.chosen
        ]
        layers = torch.stack(states, dim=1).float()  # (B, L, T, D)
        is_token = inputs["attention_mask"][:, None, :, None].float()
        return (layers * is_token).sum(2) / is_token.sum(2)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor | None = None,
        return_dict: bool | None = None,
        **_: Any,
    ) -> SequenceClassifierOutput:
        """Output of the tokenizer -> logits (B, classes).

        Args:
            input_ids: (B, T).
            attention_mask: (B, T), 1 for tokens and 0 for padding.
            token_type_ids: (B, T), for encoders that take them.
            return_dict: accepted for transformers; the return value is always an object.
        """
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
        if token_type_ids is not None:
            inputs["token_type_ids"] = token_type_ids
        vectors = self.pooled(**inputs).flatten(1)
        return SequenceClassifierOutput(logits=self.classified(self.standardised(vectors)))


def new_probe(encoder: PreTrainedModel, settings: ModelSettings, labels: LabelSet) -> ProbeForTextClassification:
    """An unfitted probe of a pretrained encoder.

    Raises:
        UsageError: the encoder lacks a layer that the settings name, or is an encoder with a decoder.
    """
    config = encoder.config
    if config.is_encoder_decoder:
        raise UsageError(
            f"{settings.name} is a {config.model_type} model, an encoder with a decoder, and a probe takes the layers of one "
            "encoder; choose another model.name."
        )
    top = config.num_hidden_layers
    if settings.layers is not None and max(settings.layers) > top:
        raise UsageError(
            f"model.layers has {max(settings.layers)} and {settings.name} has the layers 0 to {top}; choose among them."
        )
    return ProbeForTextClassification(
        TextProbeConfig(
            encoder=config.to_dict(),
            layers=settings.layers,
            pad_token_id=config.pad_token_id,
            id2label=labels.id2label,
            label2id=labels.label2id,
        ),
        encoder,
    ).eval()


def load_probe(folder: Path) -> ProbeForTextClassification:
    """Load the probe of a run.

    Raises:
        DataError: it is damaged.
    """
    model: ProbeForTextClassification = load_pretrained(ProbeForTextClassification, folder)
    if not all(isinstance(layer, int) and 0 <= layer <= model.top for layer in model.chosen):
        raise DataError(
            f"{folder} has a probe of the layers {model.chosen} of an encoder with the layers 0 to {model.top}; "
            "train the run again with --force."
        )
    return model
