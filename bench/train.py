"""How much of the machine a training of the ACRNN uses: emokit's loop, a bare step, and a loop as it is often written.

    make bench PART=train
    python bench/train.py --device cuda --channels 64 128 256 512

The bare step is the ceiling: the same model in the same precision on one batch that lies on the device already. The loop as it
is often written takes a DataLoader, float32, and librosa's features anew for each item; it runs in a process of its own, since
what emokit says to the C library about memory would help it too. Utterances are three seconds of noise: speed does not depend on
what they say. One run of each in turn, three times; the medians are shown.
"""

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import librosa
import numpy
import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode

from emokit.audio.settings import AugmentationSettings, FeatureSettings
from emokit.audio.spectrogram.acrnn import AcrnnConfig, AcrnnForAudioClassification
from emokit.audio.spectrogram.augment import Augment
from emokit.audio.spectrogram.batches import TrainingBatches, on_device
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.labels import NUM_LABELS
from emokit.runtime import seed_everything
from emokit.training.hardware import new_accelerator
from emokit.training.loop import DevMetrics, fit, parameter_groups
from emokit.training.settings import TrainingSettings

BATCH, SECONDS, TURNS = 32, 3.0, 3
FEATURES = FeatureSettings()
RECIPE = TrainingSettings(max_epochs=1, batch_size=BATCH)
Step = Callable[[], float]


class Waveforms(Dataset):
    """Each item's features are computed when it is asked for."""

    def __init__(self, waveforms: numpy.ndarray, targets: numpy.ndarray) -> None:
        self.waveforms, self.targets = waveforms, targets

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
        mels = librosa.feature.melspectrogram(
            y=self.waveforms[row],
            sr=FEATURES.sample_rate,
            n_fft=FEATURES.n_fft,
            hop_length=FEATURES.hop_length,
            n_mels=FEATURES.n_mels,
        )
        return torch.from_numpy(librosa.power_to_db(mels, ref=1.0)).T, int(self.targets[row])


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--channels", type=int, nargs="+", default=[32, 64, 128, 256])
    parser.add_argument("--utterances", type=int, default=384)
    asked = parser.parse_args()
    waveforms, targets = new_utterances(asked.utterances)
    accelerator = new_accelerator(asked.device, "auto")
    device, precision = accelerator.device, accelerator.mixed_precision.replace("no", "float32")
    extract = LogMel(FEATURES)
    log_mels = [extract(waveform).astype(numpy.float16) for waveform in waveforms]
    batches = TrainingBatches(
        on_device([log_mels], device),
        targets,
        Augment(AugmentationSettings(), FEATURES.sample_rate / FEATURES.hop_length, extract.filters.sum(axis=0)),
        window_frames=FEATURES.num_frames(SECONDS),
        batch_size=BATCH,
        mixup_alpha=0.2,
        balanced=False,
        seed=0,
    )

    def loop() -> float:
        model = new_model(asked.channels, device).to(memory_format=torch.channels_last)
        scores = DevMetrics(1.0, 0.5, 0.5, 0.5, NUM_LABELS)
        epochs = fit(model, batches, len(batches), lambda _: scores, RECIPE, accelerator)
        return len(batches) * BATCH / next(iter(epochs)).seconds

    def bare() -> float:
        model = new_model(asked.channels, device).to(memory_format=torch.channels_last).train()
        optimizer = torch.optim.AdamW(parameter_groups(model, RECIPE.weight_decay), lr=RECIPE.lr)
        batch = {name: values.to(device) for name, values in next(iter(batches(1))).items()}
        batch_targets = batch.pop("targets")
        started = _now(device)
        for _ in range(len(batches)):
            with accelerator.autocast():
                logits = model(**batch).logits
            cross_entropy(logits.float(), batch_targets, label_smoothing=RECIPE.label_smoothing).backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return len(batches) * BATCH / (_now(device) - started)

    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as apart:
        often = partial(as_often_written, asked.utterances, asked.channels, device)
        ways: dict[str, Step] = {
            "emokit's loop": loop,
            "bare step": bare,
            "as often written": lambda: apart.submit(often).result(),
        }
        rates = {name: statistics.median(turn) for name, turn in _in_turn(ways)}
    flops = _flops(new_model(asked.channels, device), next(iter(batches(1)))["input_features"].to(device)) / BATCH
    peak = _matrix_flops(device, torch.bfloat16 if precision == "bf16" else torch.float32)
    print(f"channels {asked.channels}, batches of {BATCH}, {device}, {precision}, {torch.get_num_threads()} threads")
    print("way", "utterances/s", "of the bare step", "times as often written", "of the matrix throughput", sep="\t")
    for name, rate in rates.items():
        of_bare, times = rate / rates["bare step"], rate / rates["as often written"]
        print(name, f"{rate:.1f}", f"{of_bare:.0%}", f"{times:.1f}", f"{rate * flops / peak:.0%}", sep="\t")
    print(f"matrix throughput {peak / 1e9:.0f} GFLOP/s in {precision}; {flops / 1e9:.2f} GFLOP an utterance and step")


def new_utterances(count: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Waveforms (count, samples) float32, and class numbers (count,)."""
    random = numpy.random.default_rng(0)
    waveforms = random.normal(0, 0.1, (count, round(SECONDS * FEATURES.sample_rate))).astype(numpy.float32)
    return waveforms, random.integers(0, NUM_LABELS, count)


def new_model(channels: list[int], device: torch.device) -> AcrnnForAudioClassification:
    """An untrained model, the same each time."""
    seed_everything(0)
    return AcrnnForAudioClassification(AcrnnConfig(channels=tuple(channels), skip_connections=True)).to(device)


def as_often_written(count: int, channels: list[int], device: torch.device) -> float:
    """Utterances per second of a DataLoader, float32 and librosa's features for each item."""
    waveforms, targets = new_utterances(count)
    model = new_model(channels, device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RECIPE.lr)
    started, done = _now(device), 0
    for features, labels in DataLoader(Waveforms(waveforms, targets), BATCH, shuffle=True, drop_last=True):
        optimizer.zero_grad()
        loss = cross_entropy(model(features.to(device)).logits, labels.to(device))
        loss.backward()
        optimizer.step()
        done += len(labels) if loss.item() == loss.item() else 0
    return done / (_now(device) - started)


def _in_turn(ways: dict[str, Step]) -> Iterator[tuple[str, list[float]]]:
    """Each way several times, in turn, so that a busy moment of the machine does not fall on one of them alone."""
    for way in ways.values():
        way()  # the first is slower: memory is asked for, kernels are chosen
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(TURNS):
        for name, way in ways.items():
            found[name].append(way())
    yield from found.items()


def _flops(model: torch.nn.Module, features: torch.Tensor) -> int:
    """Of one step of training: forward and backward."""
    with FlopCounterMode(display=False) as counter:
        model.train()(input_features=features).logits.sum().backward()
    return int(counter.get_total_flops())


def _matrix_flops(device: torch.device, dtype: torch.dtype, size: int = 1024, repeats: int = 10) -> float:
    """Operations per second of a product of two square matrices."""
    left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    left @ right
    started = _now(device)
    for _ in range(repeats):
        left @ right
    return 2 * size**3 * repeats / (_now(device) - started)


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


if __name__ == "__main__":
    main()
