"""What can be set of an audio training, group by group; every field has a sentence and a unit."""

import re
from pathlib import PurePath
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from emokit.settings import Settings
from emokit.training.settings import PublishedScore, TrainingSettings


class FeatureSettings(Settings):
    """Log-mel spectrograms, as librosa defines them (Slaney mels, area-normalised, power in decibels)."""

    sample_rate: int = Field(22_050, ge=4_000, le=192_000)
    """Samples per second that sound is resampled to, in Hz."""
    n_fft: int = Field(2048, ge=64)
    """Length of the analysis window, in samples."""
    hop_length: int = Field(512, ge=1)
    """Distance from one frame to the next, in samples."""
    n_mels: int = Field(128, ge=8, le=512)
    """Number of mel bins."""
    fmin: float = Field(0.0, ge=0)
    """Lower edge of the lowest mel bin, in Hz."""
    fmax: float | None = Field(None, gt=0)
    """Upper edge of the highest mel bin, in Hz; null is half the sample rate."""
    top_db: float = Field(80.0, gt=0)
    """Quieter than the utterance's loudest bin by more than this is raised to this, in decibels."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.hop_length > self.n_fft:
            raise ValueError(f"must have hop_length of at most n_fft ({self.n_fft} samples)")
        highest = self.fmax or self.sample_rate / 2
        if not self.fmin < highest <= self.sample_rate / 2:
            raise ValueError(f"must have fmin < fmax <= {self.sample_rate / 2:g} Hz, half the sample rate")
        return self

    def num_frames(self, seconds: float) -> int:
        """How many frames a window of this length has: 130 for 3.0 s at 22,050 Hz and a hop of 512."""
        return 1 + int(seconds * self.sample_rate) // self.hop_length


class DataSettings(Settings):
    """Which utterances of the prepared folder take part, and how they are cut."""

    corpora: tuple[str, ...] | None = Field(None, min_length=1)
    """The corpora to use; null uses every one that has sound."""
    window_seconds: float = Field(3.0, gt=0.1, le=60)
    """Length of what the model sees, in seconds; of longer utterances a window is cut, shorter ones are padded with silence, or
    by a pretrained encoder heard as they are."""
    window_overlap: float = Field(0.0, ge=0, le=0.9)
    """Share of a window that the next one repeats where a long utterance is predicted; 0 takes as few as cover it."""
    utterance_normalisation: bool = False
    """Standardise each mel bin by the utterance's own mean and deviation, in place of the training split's."""
    speaker_normalisation: bool = False
    """Standardise each mel bin by the mean and deviation of all utterances of the same speaker. This uses the test speakers'
    sound, though not their labels, so it has to be declared beside any score."""

    @model_validator(mode="after")
    def _one_normalisation(self) -> Self:
        if self.utterance_normalisation and self.speaker_normalisation:
            raise ValueError("must have one of utterance_normalisation and speaker_normalisation, not both")
        return self

    @property
    def normalisation(self) -> str:
        """Whose statistics standardise: `train`, `utterance` or `speaker`."""
        return "speaker" if self.speaker_normalisation else "utterance" if self.utterance_normalisation else "train"


class ModelSettings(Settings):
    """ACRNN: residual convolutions with CBAM, a bidirectional LSTM, self-attention over time; or a pretrained encoder."""

    kind: Literal["acrnn", "functionals"] = "acrnn"
    """What is trained where no pretrained encoder is named: the ACRNN, or the simple baseline as a run of its own, a logistic
    regression on functionals, which takes seconds."""
    name: str | None = None
    """A pretrained speech encoder: its folder, or its name on the Hugging Face hub; null trains what kind says, from nothing."""
    revision: str | None = None
    """Of a pretrained encoder: the commit of the hub's model, so that a run can be made again; null takes the newest."""
    frozen: bool = False
    """Of a pretrained encoder: leave it as it is, and train only the head and the weights over its layers."""
    channels: tuple[Annotated[int, Field(ge=1)], ...] = Field((64, 128, 256, 512), min_length=1, max_length=6)
    """Channels of the residual blocks; each block halves frequency, and time unless time_poolings says otherwise."""
    stem_channels: int | None = Field(None, ge=1)
    """Channels of the first convolution; null takes those of the first block."""
    time_poolings: int | None = Field(None, ge=0, le=7)
    """How many of the poolings halve time as well as frequency, counted from the first convolution's; null lets all of them."""
    skip_connections: bool = True
    """Add what goes into the LSTM, and into the attention, to what comes out of it, and normalise the sum."""
    attention_reduction: int = Field(16, ge=1)
    """By how much CBAM's channel attention narrows the channels inside."""
    lstm_hidden_size: int = Field(128, ge=1)
    """Hidden size of the LSTM in each direction; twice this many numbers describe an utterance."""
    lstm_num_layers: int = Field(2, ge=1, le=4)
    """Layers of the LSTM."""
    num_attention_heads: int = Field(4, ge=1)
    """Heads of the self-attention over time; must divide twice the LSTM's size."""
    classifier_hidden_size: int = Field(128, ge=1)
    """Width of the hidden layer of the classification head."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Share of the numbers that are dropped inside the head, between the LSTM's layers and in the attention."""

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if (2 * self.lstm_hidden_size) % self.num_attention_heads:
            raise ValueError(
                f"must have num_attention_heads that divide twice lstm_hidden_size ({2 * self.lstm_hidden_size})"
            )
        return self


class AugmentationSettings(Settings):
    """What is done to the training utterances, anew in each epoch; dev and test are never touched."""

    num_freq_masks: int = Field(0, ge=0, le=8)
    """SpecAugment: bands of mels that are set to the mean (Park et al. 2019, https://arxiv.org/abs/1904.08779)."""
    freq_mask_param: int = Field(16, ge=1)
    """The most mels that a band has."""
    num_time_masks: int = Field(0, ge=0, le=8)
    """SpecAugment: stretches of frames that are set to the mean."""
    time_mask_param: int = Field(20, ge=1)
    """The most frames that a stretch has."""
    shift_seconds: float = Field(0.0, ge=0, le=10)
    """The most that an utterance shorter than the window is moved into it, in seconds; 0 starts it at the window's start."""
    noise_snr_db: tuple[float, float] | None = None
    """Add white noise at a signal-to-noise ratio drawn evenly between these, in decibels; null adds none."""
    gain_db: float = Field(0.0, ge=0, le=30)
    """Make an utterance louder or softer by at most this, in decibels."""
    speed_factors: tuple[float, ...] = (1.0,)
    """Speeds of which one is drawn for each utterance, changing pitch and length as a tape would: 0.9 is slower and lower."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.noise_snr_db and self.noise_snr_db[0] > self.noise_snr_db[1]:
            raise ValueError("must have noise_snr_db as [lowest, highest]")
        if not self.speed_factors or any(not 0.5 <= speed <= 2 for speed in self.speed_factors):
            raise ValueError("must have speed_factors between 0.5 and 2, at least one of them")
        return self


class AudioTrainingSettings(TrainingSettings):
    """The recipe of any training, and what only sound takes."""

    mixup_alpha: float = Field(0.2, ge=0)
    """Mixup's Beta(alpha, alpha); 0 turns Mixup off (Zhang et al. 2018, https://arxiv.org/abs/1710.09412)."""
    max_seconds_per_batch: float = Field(100.0, gt=0)
    """The most sound in a batch of a pretrained encoder, in seconds, padding included; utterances of like length share a batch,
    at most `batch_size` of them."""
    encoder_lr_multiplier: float = Field(0.05, gt=0, le=1)
    """Factor on the learning rate for the top layer of a pretrained encoder that is fine-tuned; the head has the whole of it."""
    layer_decay: float = Field(1.0, gt=0, le=1)
    """Factor on the learning rate from each layer of a pretrained encoder to the one below it; 1 gives all layers the same."""


class AudioSettings(Settings):
    """Everything of one audio training."""

    name: str = Field("acrnn", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    """What the experiment is called in reports; where nothing is said, after its kind or its pretrained encoder."""
    modality: Literal["audio"] = "audio"
    """The modality that the settings are for."""
    published: PublishedScore = PublishedScore()
    """What somebody else reported for this experiment."""
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
        return {
            "name": re.sub(r"^[^A-Za-z0-9]+|[^\w.-]", "", PurePath(encoder).name, flags=re.ASCII) or "encoder",
            **values,
        }

    @model_validator(mode="after")
    def _suits_a_pretrained_encoder(self) -> Self:
        if self.model.name is None:
            return self
        if self.model.kind == "functionals":
            raise ValueError(
                "must leave model.kind as it is where model.name is set: a pretrained encoder is no regression"
            )
        of, recipe, longest = self.augmentation, self.training, self.data.window_seconds
        if of.num_freq_masks or of.num_time_masks or of.shift_seconds or self.data.normalisation != "train":
            raise ValueError(
                "must leave masks, shift_seconds and normalisation to models of spectrograms where model.name is set: "
                "a pretrained encoder hears waveforms, and has masks and normalisation of its own"
            )
        if recipe.max_seconds_per_batch < longest:
            raise ValueError(f"training.max_seconds_per_batch must be at least data.window_seconds ({longest:g})")
        # Drawn rows have other lengths in each epoch; only batches that are full by count are then equally many.
        if recipe.class_balancing == "sampler" and recipe.max_seconds_per_batch < longest * recipe.batch_size:
            raise ValueError(
                "training.class_balancing = sampler needs training.max_seconds_per_batch of at least "
                f"data.window_seconds x training.batch_size ({longest * recipe.batch_size:g}) for a pretrained encoder"
            )
        return self

    @model_validator(mode="after")
    def _window_survives_pooling(self) -> Self:
        if self.model.name is not None or self.model.kind == "functionals":
            return self
        halvings = 1 + len(self.model.channels)
        of_time = halvings if self.model.time_poolings is None else self.model.time_poolings
        if of_time > halvings:
            raise ValueError(
                f"model.time_poolings is {of_time}, and the first convolution and the blocks have {halvings}"
            )
        frames, mels = self.features.num_frames(self.data.window_seconds), self.features.n_mels
        if frames < 2**of_time:
            raise ValueError(
                f"data.window_seconds gives {frames} frames, and {of_time} poolings of time need {2**of_time}; "
                "use a longer window, a shorter hop or fewer model.time_poolings"
            )
        if mels < 2**halvings:
            raise ValueError(
                f"features.n_mels is {mels}, and {halvings} poolings need {2**halvings}; use more, or fewer model.channels"
            )
        return self
