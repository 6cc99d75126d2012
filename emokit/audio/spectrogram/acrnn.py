"""ACRNN: residual convolutions with CBAM, a bidirectional LSTM, self-attention over time.

The study's shapes, for 128 mels and 130 frames: stem (B, 64, 64, 65), blocks to (B, 512, 4, 4), then (B, T=4, C*F=2048).
CBAM: Woo et al. 2018, https://arxiv.org/abs/1807.06521.

Legend of the shapes: B utterances, C channels, F mel bins, T frames, D features of a time step.
"""

from typing import Any

import torch
from torch import Tensor, nn

from emokit.audio.spectrogram.windows import over_windows
from emokit.training.plain_model import Output, PlainConfig, PlainModel


class AcrnnConfig(PlainConfig):
    """The shape of an ACRNN, and the settings of the features it was trained on."""

    model_type = "acrnn"

    def __init__(
        self,
        n_mels: int = 128,
        channels: tuple[int, ...] = (64, 128, 256, 512),
        stem_channels: int | None = None,
        time_poolings: int | None = None,
        skip_connections: bool = False,
        attention_reduction: int = 16,
        lstm_hidden_size: int = 128,
        lstm_num_layers: int = 2,
        num_attention_heads: int = 4,
        classifier_hidden_size: int = 128,
        dropout: float = 0.3,
        window_frames: int = 130,
        window_overlap: float = 0.0,
        normalisation: str = "train",
        features: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.n_mels = n_mels
        self.channels = list(channels)
        self.stem_channels = stem_channels or self.channels[0]
        self.time_poolings = 1 + len(self.channels) if time_poolings is None else time_poolings
        self.skip_connections = skip_connections
        self.attention_reduction = attention_reduction
        self.lstm_hidden_size = lstm_hidden_size
        self.lstm_num_layers = lstm_num_layers
        self.num_attention_heads = num_attention_heads
        self.classifier_hidden_size = classifier_hidden_size
        self.dropout = dropout
        self.window_frames = window_frames
        self.window_overlap = window_overlap
        self.normalisation = normalisation
        self.features = features or {}
        super().__init__(**kwargs)


class ChannelAttention(nn.Module):
    """CBAM, channel attention: a weight per channel, from its mean and its maximum."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.mlp = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, F, T) -> the same shape, each channel scaled by 0..1."""
        # One of equal values gets the gradient; amax is far slower on a CPU.
        highest = maps.flatten(2).max(dim=2).values
        scale = self.mlp(maps.mean(dim=(2, 3))) + self.mlp(highest)  # (B, C)
        return maps * torch.sigmoid(scale)[:, :, None, None]


class SpatialAttention(nn.Module):
    """CBAM, spatial attention: a weight per position, from the mean and the maximum over channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, kernel_size=7, padding=3, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, F, T) -> the same shape, each position scaled by 0..1."""
        highest = maps.max(dim=1, keepdim=True).values
        summary = torch.cat([maps.mean(dim=1, keepdim=True), highest], dim=1)  # (B, 2, F, T)
        return maps * torch.sigmoid(self.conv(summary))


class ResidualBlock(nn.Module):
    """Convolution, batch normalisation, ReLU, CBAM, a shortcut around them, and pooling of frequency and optionally time."""

    def __init__(self, channels_in: int, channels_out: int, reduction: int, pooling: tuple[int, int] = (2, 2)) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels_out)
        self.attention = nn.Sequential(ChannelAttention(channels_out, reduction), SpatialAttention())
        same = channels_in == channels_out
        self.shortcut = nn.Identity() if same else nn.Conv2d(channels_in, channels_out, kernel_size=1, bias=False)
        self.pool = nn.MaxPool2d(pooling)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C_in, F, T) -> (B, C_out, F // 2, T // 2), or all of T where the pooling is (2, 1)."""
        attended = self.attention(torch.relu(self.norm(self.conv(maps))))
        return self.pool(attended + self.shortcut(maps))


class AcrnnForAudioClassification(PlainModel):
    """Logits from a window of log-mels. The initial values are torch's, which the study used."""

    config_class = AcrnnConfig
    base_model_prefix = "acrnn"
    main_input_name = "input_features"
    feature_mean: Tensor
    """(F,) decibels, as `feature_deviation`."""
    feature_deviation: Tensor

    def __init__(self, config: AcrnnConfig) -> None:
        super().__init__(config)
        stem = config.stem_channels
        poolings = [(2, 2 if i < config.time_poolings else 1) for i in range(1 + len(config.channels))]
        # Decibels are standardised per mel bin with the training split's mean and deviation, stored with the weights.
        self.register_buffer("feature_mean", torch.zeros(config.n_mels))
        self.register_buffer("feature_deviation", torch.ones(config.n_mels))
        self.stem = nn.Sequential(
            nn.Conv2d(1, stem, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(stem),
            nn.ReLU(),
            nn.MaxPool2d(poolings[0]),
        )
        widths = [stem, *config.channels]
        self.blocks = nn.Sequential(
            *[
                ResidualBlock(widths[i], widths[i + 1], config.attention_reduction, poolings[i + 1])
                for i in range(len(config.channels))
            ]
        )
        bins = config.n_mels >> len(poolings)
        size = 2 * config.lstm_hidden_size
        self.projection = nn.Linear(config.channels[-1] * bins, size)
        self.lstm = nn.LSTM(
            size,
            config.lstm_hidden_size,
            num_layers=config.lstm_num_layers,
            batch_first=True,
            bidirectional=True,
            dropout=config.dropout if config.lstm_num_layers > 1 else 0.0,
        )
        self.attention = nn.MultiheadAttention(
            size, config.num_attention_heads, dropout=config.dropout, batch_first=True
        )
        if config.skip_connections:
            self.lstm_norm, self.attention_norm = nn.LayerNorm(size), nn.LayerNorm(size)
        self.head = nn.Sequential(
            nn.Linear(size, config.classifier_hidden_size),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.classifier_hidden_size, config.num_labels),
        )

    def standardise_with(self, mean: Tensor, deviation: Tensor) -> None:
        """Store the training split's mean and deviation per mel bin, both (F,) in decibels."""
        self.feature_mean.copy_(mean)
        self.feature_deviation.copy_(deviation.clamp_min(1e-3))

    def forward(self, input_features: Tensor, return_dict: bool | None = None, **_: Any) -> Output:
        """Log-mels (B, T, F), in decibels or standardised (see `config.normalisation`) -> logits (B, classes).

        Windows (B, windows, T, F) give the logarithm of the mean probabilities over each recording's windows.
        """
        if input_features.dim() == 4:
            return Output(logits=over_windows(lambda windows: self(windows).logits, input_features))
        return Output(logits=self.head(self.time_steps(input_features).mean(dim=1)))

    def time_steps(self, input_features: Tensor) -> Tensor:
        """Windows (B, T, F) -> (B, T', D), whose mean over time the head takes."""
        standard = (input_features - self.feature_mean) / self.feature_deviation
        maps = self.blocks(self.stem(standard.transpose(1, 2).unsqueeze(1)))  # (B, C, F', T')
        steps = maps.permute(0, 3, 1, 2).flatten(2)  # (B, T', C * F')
        steps = self.projection(steps)
        through, _ = self.lstm(steps)  # (B, T', D)
        # Without skip connections, two LSTM layers and the attention pass hardly any gradient to the convolutions at first.
        steps = self.lstm_norm(steps + through) if self.config.skip_connections else through
        through, _ = self.attention(steps, steps, steps, need_weights=False)  # (B, T', D)
        return self.attention_norm(steps + through) if self.config.skip_connections else through
