"""Speed of ACRNN training: emokit's loop, a bare training step, and a typical hand-written loop.

    make bench PART=train
    python bench/train.py --device cuda --channels 64 128 256 512

The bare step is the upper limit: the same model and precision on one batch that is already on the device. The typical loop uses
a DataLoader, float32, and librosa features computed for each item; it runs in its own process, since emokit's memory settings of
the C library would speed it up too. Utterances are three seconds of noise. Each way runs three times, in turn; the medians are
printed.
"""

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable
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
from emokit.audio.spectrogram.batches import TrainingBatches
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.audio.spectrogram.windows import on_device
from emokit.runtime import seed_everything
from emokit.training.batches import one_hot
from emokit.training.hardware import new_accelerator
from emokit.training.loop import DevMetrics, fit
from emokit.training.objective import CrossEntropy
from emokit.training.schedule import parameter_groups
from emokit.training.settings import TrainingSettings

BATCH, SECONDS, TURNS, CLASSES = 32, 3.0, 3, 7
FEATURES = FeatureSettings()
SETTINGS = TrainingSettings(max_epochs=1, batch_size=BATCH)
Measurement = Callable[[], float]
"""Runs once and returns utterances per second."""


class Waveforms(Dataset):
    """Utterances whose features are computed at each access."""

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
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--channels", type=int, nargs="+", default=[32, 64, 128, 256])
    parser.add_argument("--utterances", type=int, default=384)
    arguments = parser.parse_args()
    waveforms, targets = new_utterances(arguments.utterances)
    accelerator = new_accelerator(arguments.device, "auto")
    device, precision = accelerator.device, accelerator.mixed_precision.replace("no", "float32")
    extract = LogMel(FEATURES)
    log_mels = [extract(waveform).astype(numpy.float16) for waveform in waveforms]
    batches = TrainingBatches(
        on_device([log_mels], device),
        one_hot(targets, CLASSES),
        Augment(AugmentationSettings(), FEATURES.sample_rate / FEATURES.hop_length, extract.filters.sum(axis=0)),
        window_frames=FEATURES.num_frames(SECONDS),
        batch_size=BATCH,
        mixup_alpha=0.2,
        balanced=False,
        seed=0,
    )

    def loop() -> float:
        model = new_model(arguments.channels, device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        scores = DevMetrics(1.0, 0.5, 0.5, 0.5, CLASSES)
        objective = CrossEntropy(SETTINGS.label_smoothing)
        epochs = fit(model, batches, len(batches), lambda _: scores, SETTINGS, accelerator, objective)
        return len(batches) * BATCH / next(iter(epochs)).seconds

    def bare_step() -> float:
        model = new_model(arguments.channels, device).to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        optimizer = torch.optim.AdamW(parameter_groups(model, SETTINGS.weight_decay), lr=SETTINGS.lr)
        batch = {name: values.to(device) for name, values in next(iter(batches(1))).items()}
        batch_targets = batch.pop("targets")
        started = _now(device)
        for _ in range(len(batches)):
            with accelerator.autocast():
                logits = model(**batch).logits
            cross_entropy(logits.float(), batch_targets, label_smoothing=SETTINGS.label_smoothing).backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return len(batches) * BATCH / (_now(device) - started)

    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        typical = partial(typical_loop, arguments.utterances, arguments.channels, device)
        ways: dict[str, Measurement] = {
            "emokit's loop": loop,
            "bare step": bare_step,
            "typical loop": lambda: pool.submit(typical).result(),
        }
        rates = {name: statistics.median(turns) for name, turns in _in_turn(ways).items()}
    flops = _flops(new_model(arguments.channels, device), next(iter(batches(1)))["input_features"].to(device)) / BATCH
    peak = _matrix_flops(device, torch.bfloat16 if precision == "bf16" else torch.float32)
    print(
        f"channels {arguments.channels}, batches of {BATCH}, {device}, {precision}, {torch.get_num_threads()} threads"
    )
    print("way", "utterances/s", "of the bare step", "times the typical loop", "of the matrix throughput", sep="\t")
    for name, rate in rates.items():
        cells = f"{rate / rates['bare step']:.0%}", f"{rate / rates['typical loop']:.1f}", f"{rate * flops / peak:.0%}"
        print(name, f"{rate:.1f}", *cells, sep="\t")
    print(f"matrix throughput {peak / 1e9:.0f} GFLOP/s in {precision}; {flops / 1e9:.2f} GFLOP per utterance and step")


def new_utterances(count: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Waveforms (count, samples) float32, and targets (count,)."""
    random = numpy.random.default_rng(0)
    waveforms = random.normal(0, 0.1, (count, round(SECONDS * FEATURES.sample_rate))).astype(numpy.float32)
    return waveforms, random.integers(0, CLASSES, count)


def new_model(channels: list[int], device: torch.device) -> AcrnnForAudioClassification:
    """An untrained model, the same each time."""
    seed_everything(0)
    config = AcrnnConfig(channels=tuple(channels), skip_connections=True, num_labels=CLASSES)
    return AcrnnForAudioClassification(config).to(device)


def typical_loop(count: int, channels: list[int], device: torch.device) -> float:
    """Utterances per second of a DataLoader, float32 and librosa features computed for each item."""
    waveforms, targets = new_utterances(count)
    model = new_model(channels, device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=SETTINGS.lr)
    started, num_done = _now(device), 0
    for features, batch_targets in DataLoader(Waveforms(waveforms, targets), BATCH, shuffle=True, drop_last=True):
        optimizer.zero_grad()
        loss = cross_entropy(model(features.to(device)).logits, batch_targets.to(device))
        loss.backward()
        optimizer.step()
        num_done += len(batch_targets) if loss.item() == loss.item() else 0
    return num_done / (_now(device) - started)


def _in_turn(ways: dict[str, Measurement]) -> dict[str, list[float]]:
    """The rates of each way, measured in turn so that other load on the machine affects all of them."""
    for way in ways.values():
        way()  # the first run is slower: memory is allocated, kernels are chosen
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(TURNS):
        for name, way in ways.items():
            rates[name].append(way())
    return rates


def _flops(model: torch.nn.Module, features: torch.Tensor) -> int:
    """Operations of one training step: forward and backward."""
    with FlopCounterMode(display=False) as counter:
        model.train()(input_features=features).logits.sum().backward()
    return int(counter.get_total_flops())


def _matrix_flops(device: torch.device, dtype: torch.dtype, size: int = 1024, repeats: int = 10) -> float:
    """Operations per second of the product of two square matrices."""
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
