"""Settings of audio training, by group; every field has a sentence and a unit."""

import re
from pathlib import PurePath
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from emokit.settings import Name, Settings
from emokit.training.settings import LARGEST_LAYER, PublishedScore, TrainingSettings

Decibels = Annotated[float, Field(ge=-100, le=100)]
FMAX = 8000.0  # resolves pitch better than bins up to half of 22,050 Hz; see experiments/LOG.md


class FeatureSettings(Settings):
    """Log-mel spectrograms as librosa defines them: Slaney mels, area-normalised, power in decibels."""

    sample_rate: int = Field(22_050, ge=4_000, le=192_000)
    """Sample rate that recordings are resampled to, in Hz."""
    n_fft: int = Field(2048, ge=64, le=65_536)
    """Length of the analysis window, in samples."""
    hop_length: int = Field(512, ge=1, le=65_536)
    """Distance from one frame to the next, in samples."""
    n_mels: int = Field(128, ge=8, le=512)
    """Number of mel bins."""
    fmin: float = Field(0.0, ge=0)
    """Lower edge of the lowest mel bin, in Hz."""
    fmax: float | None = Field(FMAX, gt=0)
    """Upper edge of the highest mel bin, in Hz; null is half the sample rate, as is the default below 16 kHz."""
    top_db: float = Field(80.0, gt=0, le=1000)
    """Values more than this below the utterance's maximum are raised to that level, in decibels."""

    @model_validator(mode="before")
    @classmethod
    def _all_of_a_low_rate(cls, values: Any) -> Any:
        rate = values.get("sample_rate") if isinstance(values, dict) else None
        if isinstance(rate, int | float) and rate < 2 * FMAX and "fmax" not in values:
            return {**values, "fmax": None}
        return values

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.hop_length > self.n_fft:
            raise ValueError(f"must have hop_length of at most n_fft ({self.n_fft} samples)")
        fmax = self.fmax or self.sample_rate / 2
        if not self.fmin < fmax <= self.sample_rate / 2:
            raise ValueError(f"must have fmin < fmax <= {self.sample_rate / 2:g} Hz, half the sample rate")
        distance = self.sample_rate / self.n_fft
        if int(self.fmin / distance) + 1 >= fmax / distance:
            raise ValueError(
                f"must have a frequency of the transform, which are {distance:g} Hz apart, between fmin and fmax"
            )
        return self

    def num_frames(self, seconds: float) -> int:
        """Number of frames of a window of this length: 130 for 3.0 s at 22,050 Hz and a hop of 512."""
        return 1 + int(seconds * self.sample_rate) // self.hop_length


class DataSettings(Settings):
    """Which utterances are used, and how they are cut and normalised."""

    corpora: tuple[str, ...] | None = Field(None, min_length=1)
    """Corpora to use; null uses every corpus with audio."""
    soft_labels: bool = True
    """Whether training takes the annotators' shares of the labels as targets, where the prepared folder has them."""
    window_seconds: float = Field(3.0, gt=0.1, le=60)
    """Length of the model's input, in seconds. Longer utterances are cut into windows; shorter ones are padded with silence for
    spectrograms and left as they are for a pretrained encoder."""
    window_overlap: float = Field(0.0, ge=0, le=0.9)
    """Share of a window that the next one repeats when a long utterance is predicted; 0 uses as few windows as cover it."""
    utterance_normalisation: bool = False
    """Standardise each mel bin with the utterance's own mean and deviation instead of the training split's; not for encoders."""
    speaker_normalisation: bool = False
    """Standardise what the classifier takes with the mean and deviation of all utterances of the speaker: mel bins of an ACRNN,
    functionals, layers of a probe. It uses the audio of test speakers, though not their labels, and is declared beside every
    score."""

    train_on_dev: bool = False
    """Whether functionals and probes are fitted on dev too. Their strength is then chosen by inner folds over the speakers, which
    also predict dev: no speaker is spent on dev where there are few."""

    @model_validator(mode="after")
    def _one_normalisation(self) -> Self:
        if self.utterance_normalisation and self.speaker_normalisation:
            raise ValueError("must have one of utterance_normalisation and speaker_normalisation, not both")
        return self

    @property
    def normalisation(self) -> str:
        """Source of the mean and deviation: `train`, `utterance` or `speaker`."""
        return "speaker" if self.speaker_normalisation else "utterance" if self.utterance_normalisation else "train"


class ModelSettings(Settings):
    """The model: ACRNN (residual convolutions with CBAM, BiLSTM, self-attention), functionals, or a pretrained encoder."""

    kind: Literal["acrnn", "pretrained", "probe", "functionals"] = "acrnn"
    """acrnn trains the ACRNN from random weights; pretrained puts a head on a pretrained speech encoder (the default where name
    is set); probe fits a logistic regression on the layers of a pretrained encoder, and functionals on functionals of the
    spectrogram, both in seconds."""
    name: str | None = None
    """Pretrained speech encoder: a folder, or a name on the Hugging Face hub."""
    revision: str | None = None
    """Commit of the pretrained encoder on the hub; null uses the newest."""
    frozen: bool = False
    """Train only the head and the layer weights of a pretrained encoder, not the encoder itself; its layers are computed once."""
    layers: tuple[Annotated[int, Field(ge=0, le=1000)], ...] | None = Field(None, min_length=1)
    """Layers whose mean and deviation over time a probe takes; 0 is below the first. Null takes all."""
    functionals: bool = False
    """Whether a probe takes functionals of the prepared log-mels beside the layers."""
    channels: tuple[Annotated[int, Field(ge=1, le=LARGEST_LAYER)], ...] = Field(
        (64, 128, 256, 512), min_length=1, max_length=6
    )
    """Channels of the residual blocks. Each block halves the frequency axis; time_poolings limits how many halve time."""
    stem_channels: int | None = Field(None, ge=1, le=LARGEST_LAYER)
    """Channels of the first convolution; null uses those of the first block."""
    time_poolings: int | None = Field(None, ge=0, le=7)
    """Number of poolings that halve time as well as frequency, counted from the first convolution's; null is all poolings."""
    skip_connections: bool = True
    """Add the input of the LSTM, and of the attention, to its output, and normalise the sum."""
    attention_reduction: int = Field(16, ge=1, le=LARGEST_LAYER)
    """Factor by which CBAM's channel attention narrows the channels."""
    lstm_hidden_size: int = Field(128, ge=1, le=LARGEST_LAYER)
    """Hidden size of the LSTM in each direction; an utterance is described by twice as many numbers."""
    lstm_num_layers: int = Field(2, ge=1, le=4)
    """Number of LSTM layers."""
    num_attention_heads: int = Field(4, ge=1, le=1024)
    """Heads of the self-attention over time; must divide twice lstm_hidden_size."""
    classifier_hidden_size: int = Field(128, ge=1, le=LARGEST_LAYER)
    """Width of the hidden layer of the classification head."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Dropout in the head, between LSTM layers and in the attention."""

    @model_validator(mode="before")
    @classmethod
    def _a_name_is_of_a_pretrained_encoder(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("name") is not None and "kind" not in values:
            return {**values, "kind": "pretrained"}
        return values

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (2 * self.lstm_hidden_size) % self.num_attention_heads:
            width = 2 * self.lstm_hidden_size
            raise ValueError(f"must have num_attention_heads that divide twice lstm_hidden_size ({width})")
        if (self.kind in ("pretrained", "probe")) != (self.name is not None):
            raise ValueError(
                "must have kind pretrained or probe and a name together: the name is the pretrained encoder's"
            )
        if self.layers is not None and len(set(self.layers)) < len(self.layers):
            raise ValueError("must have layers that differ from each other")
        return self


class AugmentationSettings(Settings):
    """Augmentation of the training utterances, drawn again in each epoch; dev and test are not augmented."""

    num_freq_masks: int = Field(0, ge=0, le=8)
    """SpecAugment: number of bands of mel bins set to the mean (Park et al. 2019, https://arxiv.org/abs/1904.08779)."""
    freq_mask_param: int = Field(16, ge=1, le=512)
    """Maximum width of such a band, in mel bins."""
    num_time_masks: int = Field(0, ge=0, le=8)
    """SpecAugment: number of stretches of frames set to the mean."""
    time_mask_param: int = Field(20, ge=1, le=65_536)
    """Maximum length of such a stretch, in frames."""
    shift_seconds: float = Field(0.0, ge=0, le=10)
    """Maximum silence before an utterance that is shorter than the window, in seconds."""
    noise_snr_db: tuple[Decibels, Decibels] | None = None
    """Range of the signal-to-noise ratio of added white noise, in decibels; null adds none."""
    gain_db: float = Field(0.0, ge=0, le=30)
    """Maximum change of loudness, in decibels."""
    speed_factors: tuple[float, ...] = (1.0,)
    """Speeds, one drawn per utterance; they change pitch and length: 0.9 is slower and lower."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.noise_snr_db and self.noise_snr_db[0] > self.noise_snr_db[1]:
            raise ValueError("must have noise_snr_db as [lowest, highest]")
        if not self.speed_factors or any(not 0.5 <= factor <= 2 for factor in self.speed_factors):
            raise ValueError("must have one or more speed_factors between 0.5 and 2")
        return self


class AudioTrainingSettings(TrainingSettings):
    """Settings of any training, and those of audio only."""

    mixup_alpha: float = Field(0.2, ge=0, le=1000)
    """Mixup's Beta(alpha, alpha); 0 turns Mixup off (Zhang et al. 2018, https://arxiv.org/abs/1710.09412)."""
    max_seconds_per_batch: float = Field(100.0, gt=0, le=86_400)
    """Maximum audio in a batch of a pretrained encoder, in seconds, padding included; utterances of similar length share a batch,
    which has at most batch_size utterances."""
    encoder_lr_multiplier: float = Field(0.05, gt=0, le=1)
    """Learning rate of a fine-tuned encoder's top layer, relative to the head's."""
    layer_decay: float = Field(1.0, gt=0, le=1)
    """Factor on the learning rate from each encoder layer to the one below it; 1 gives all layers the same."""


class AudioSettings(Settings):
    """All settings of an audio training."""

    name: Name = "acrnn"
    """Name of the experiment in reports; by default the model's kind or the pretrained encoder's name."""
    modality: Literal["audio"] = "audio"
    """The modality that the settings belong to."""
    published: PublishedScore = PublishedScore()
    """Score that others reported for this experiment."""
    data: DataSettings = DataSettings()
    features: FeatureSettings = FeatureSettings()
    model: ModelSettings = ModelSettings()
    augmentation: AugmentationSettings = AugmentationSettings()
    training: AudioTrainingSettings = AudioTrainingSettings()

    @model_validator(mode="before")
    @classmethod
    def _named_after_its_model(cls, values: Any) -> Any:
        model = values.get("model") if isinstance(values, dict) else None
        if isinstance(model, dict) and model.get("kind") == "functionals":
            return {"name": "functionals", **values}
        encoder = model.get("name") if isinstance(model, dict) else None
        if not isinstance(encoder, str) or "name" in values:
            return values
        name = re.sub(r"^[^A-Za-z0-9]+|[^\w.-]", "", PurePath(encoder).name, flags=re.ASCII) or "encoder"
        return {"name": f"{name}-probe" if model and model.get("kind") == "probe" else name, **values}

    @model_validator(mode="after")
    def _suits_a_pretrained_encoder(self) -> Self:
        if self.data.train_on_dev and self.model.kind not in ("functionals", "probe"):
            raise ValueError(
                f"must leave data.train_on_dev at its default for model.kind = {self.model.kind}, which chooses its epoch on dev"
            )
        if self.model.kind == "probe" and self.data.utterance_normalisation:
            raise ValueError(
                "must leave data.utterance_normalisation at its default for a probe: an utterance has one vector, "
                "which is no deviation from itself"
            )
        if self.model.kind != "pretrained":
            return self
        augmentation, training, longest = self.augmentation, self.training, self.data.window_seconds
        masks = augmentation.num_freq_masks or augmentation.num_time_masks
        if masks or augmentation.shift_seconds or self.data.normalisation != "train":
            raise ValueError(
                "must leave masks, shift_seconds and normalisation at their defaults where model.name is set: "
                "a pretrained encoder takes waveforms, and has its own masks and normalisation"
            )
        if training.max_seconds_per_batch < longest:
            raise ValueError(f"training.max_seconds_per_batch must be at least data.window_seconds ({longest:g})")
        # Drawn rows have other lengths in each epoch; only batches that are full by count are then equally many.
        if training.class_balancing == "sampler" and training.max_seconds_per_batch < longest * training.batch_size:
            raise ValueError(
                "training.class_balancing = sampler needs training.max_seconds_per_batch of at least "
                f"data.window_seconds x training.batch_size ({longest * training.batch_size:g}) for a pretrained encoder"
            )
        return self

    @model_validator(mode="after")
    def _window_survives_pooling(self) -> Self:
        if self.model.kind != "acrnn":
            return self
        poolings = 1 + len(self.model.channels)
        time_poolings = poolings if self.model.time_poolings is None else self.model.time_poolings
        if time_poolings > poolings:
            raise ValueError(
                f"model.time_poolings is {time_poolings}, but the first convolution and the blocks have {poolings} poolings"
            )
        frames, mels = self.features.num_frames(self.data.window_seconds), self.features.n_mels
        if frames < 2**time_poolings:
            raise ValueError(
                f"data.window_seconds gives {frames} frames, but {time_poolings} poolings of time need {2**time_poolings}; "
                "use a longer window, a shorter hop or fewer model.time_poolings"
            )
        if mels < 2**poolings:
            raise ValueError(
                f"features.n_mels is {mels}, but {poolings} poolings need {2**poolings}; use more, or fewer model.channels"
            )
        return self
