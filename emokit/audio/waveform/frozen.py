"""Training above a frozen encoder: batches of its layers' means, and probabilities from them."""

from collections.abc import Iterator, Sequence

import numpy
import torch

from emokit.audio.settings import AudioTrainingSettings
from emokit.audio.waveform.encoder import SpeechForAudioClassification
from emokit.errors import DataError
from emokit.runtime import derived_seed
from emokit.training.batches import LengthBatches, draw_mixup, mix
from emokit.training.objective import Batch
from emokit.training.windows import average_windows

BATCH_WINDOWS = 1024


def means_of(layers: Sequence[numpy.ndarray]) -> tuple[numpy.ndarray, numpy.ndarray]:
    """(windows,) the utterance of each window, and (windows, layers, dim) float32 means; `layers` as `layers_of` returns them."""
    owners = numpy.repeat(numpy.arange(len(layers)), [len(windows) for windows in layers])
    return owners, numpy.concatenate([windows[:, :, 0] for windows in layers]).astype(numpy.float32)


class FrozenBatches(LengthBatches):
    """Batches of the training split's windows, mixed; an epoch's number determines them."""

    def __init__(self, layers: Sequence[numpy.ndarray], shares: numpy.ndarray, training: AudioTrainingSettings) -> None:
        """Take the training utterances.

        Args:
            layers: of each utterance, as `layers_of` returns them.
            shares: (utterances, classes) share of each class in each utterance's target.
            training: batch size, Mixup, class balancing and seed.
        """
        owners, self.means = means_of(layers)
        self.shares, self.mixup_alpha = shares[owners], training.mixup_alpha
        super().__init__(
            numpy.ones(len(owners), numpy.int64),
            self.shares,
            batch_size=training.batch_size,
            budget=training.batch_size,
            seed=training.seed,
            balanced=training.class_balancing == "sampler",
        )

    def __call__(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch: layer means (batch, layers, dim), and targets (batch, classes)."""
        random = numpy.random.default_rng(derived_seed(self.seed, epoch, 2))
        for rows in self.of_epoch(epoch):
            means, targets = self.means[rows], self.shares[rows]
            if self.mixup_alpha > 0:
                drawn, partners = draw_mixup(self.mixup_alpha, len(rows), random)
                share = numpy.float32(drawn)
                means, targets = mix(means, means[partners], share), mix(targets, targets[partners], share)
            yield {"layer_means": torch.from_numpy(means), "targets": torch.from_numpy(targets)}


def predict_layers(model: SpeechForAudioClassification, layers: Sequence[numpy.ndarray]) -> numpy.ndarray:
    """(utterances, classes) float64, the mean over each utterance's windows; `layers` as `layers_of` returns them."""
    if not layers:
        raise DataError("There is no utterance to predict; name at least one.")
    owners, means = means_of(layers)
    with torch.inference_mode():
        probabilities = [
            model(layer_means=torch.from_numpy(means[start : start + BATCH_WINDOWS]).to(model.device))
            .logits.cpu()
            .double()
            .softmax(dim=1)
            .numpy()
            for start in range(0, len(means), BATCH_WINDOWS)
        ]
    return average_windows(owners.tolist(), numpy.concatenate(probabilities), len(layers))
