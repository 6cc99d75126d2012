"""Speed of the engines, and what a prediction costs before the first window: processor seconds.

    make bench PART=engines

Windows of a small ACRNN and of the full one (experiments/audio/acrnn.yaml) with random weights, in batches of 16 and 64, by torch
with and without `keep_memory`, and by ONNX Runtime; each variant in a process of its own, one thread, the best of five. Then
whole commands: `emokit predict` of one recording and of one sentence, the best of three.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy
import soundfile

from emokit.audio.settings import AudioSettings
from emokit.settings import read_yaml_mapping

WINDOWS, REPEATS = 64, 5
SMALL = {"channels": (8, 16, 32), "lstm_hidden_size": 32, "classifier_hidden_size": 32}
ACRNN = Path(__file__).parent.parent / "experiments/audio/acrnn.yaml"
VARIANTS = (("torch", 64, ""), ("torch", 16, ""), ("torch", 16, "keep"), ("onnx", 64, ""), ("onnx", 16, ""))
COMMANDS = (("audio", "torch"), ("audio", "onnx"), ("text", "torch"), ("text", "onnx"), ("bag", "auto"))


def main() -> None:
    """Measure and print, or measure one variant in this process."""
    if len(sys.argv) > 1:
        size, engine, batch, keep, folder = sys.argv[1:]
        print(seconds_per_window(size, engine, int(batch), bool(keep), Path(folder)))
        return
    with tempfile.TemporaryDirectory() as name:
        os.environ["EMOKIT_CACHE"] = str(Path(name) / "cache")
        windows(Path(name))
        commands(Path(name))


def windows(folder: Path) -> None:
    """Milliseconds per window of each engine, and how many times torch in batches of 64 it is."""
    print("model", "engine", "batch", "memory", "ms per window", "times", sep="\t")
    for size in ("small", "full"):
        first = 0.0
        for engine, batch, keep in VARIANTS:
            words = [sys.executable, __file__, size, engine, str(batch), keep, str(folder / size)]
            done = subprocess.run(words, capture_output=True, text=True, check=True)
            seconds = float(done.stdout.splitlines()[-1])
            first = first or seconds
            print(size, engine, batch, keep or "-", f"{1000 * seconds:.2f}", f"{first / seconds:.2f}", sep="\t")


def seconds_per_window(size: str, engine: str, batch: int, keep: bool, folder: Path) -> float:
    """Processor seconds per window, the best of some repeats."""
    import torch

    from emokit.audio.spectrogram.acrnn import AcrnnConfig, AcrnnForAudioClassification
    from emokit.engines.by_onnx import OnnxEngine
    from emokit.engines.by_torch import TorchEngine
    from emokit.engines.protocol import Engine
    from emokit.runtime import keep_memory
    from emokit.training.onnx import write_onnx

    if keep:
        keep_memory()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    settings = AudioSettings.make({**read_yaml_mapping(ACRNN)})
    shape = SMALL if size == "small" else settings.model.model_dump(include=set(vars(AcrnnConfig())))
    frames, mels = settings.features.num_frames(settings.data.window_seconds), settings.features.n_mels
    model = AcrnnForAudioClassification(AcrnnConfig(n_mels=mels, window_frames=frames, num_labels=7, **shape)).eval()
    random = numpy.random.default_rng(0).normal(-40, 15, (WINDOWS, frames, mels)).astype(numpy.float32)
    chosen: Engine = TorchEngine(model, torch.device("cpu"))
    if engine == "onnx":
        if not (folder / "model.onnx").is_file():
            batches = [{"input_features": torch.from_numpy(random[:count])} for count in (3, 1)]
            write_onnx(model, batches, {"input_features": {0: "batch"}}, folder, {})
        chosen = OnnxEngine(folder / "model.onnx", {})
    seconds = []
    for _ in range(REPEATS):
        start = time.process_time()
        for first in range(0, WINDOWS, batch):
            chosen({"input_features": random[first : first + batch]})
        seconds.append(time.process_time() - start)
    return min(seconds) / WINDOWS


def commands(folder: Path) -> None:
    """Processor seconds of `emokit predict` of one input, the second time: bytecode and exports are there."""
    import torch

    from emokit.audio.spectrogram.log_mel import LogMel
    from emokit.data.catalogue import read_catalogue, with_roots
    from emokit.data.plan import Plan
    from emokit.data.prepare import prepare
    from emokit.data.prepared import open_prepared
    from emokit.data.splits.draw import SplitSettings
    from emokit.data.synthesis.corpora import write_corpus
    from emokit.modality.registry import modality

    names = ("emodb", "goemotions")
    for name in names:
        write_corpus(name, folder / name, size=0.5)
    corpora = with_roots(read_catalogue(), list(names), [f"{name}={folder / name}" for name in names])
    audio = {"model": dict(SMALL), "data": {"corpora": ["emodb"]}, "training": {"max_epochs": 1, "batch_size": 16}}
    text = {"data": {"corpora": ["goemotions"]}, "model": {"kind": "tiny"}, "training": {"max_epochs": 1}}
    bag = text | {"model": {"kind": "tfidf"}}
    features = AudioSettings().features
    prepare(Plan(tuple(corpora), features, SplitSettings()), folder / "prepared", LogMel(features))
    torch.set_num_threads(1)
    for name, values in (("audio", audio), ("text", text), ("bag", bag)):
        chosen = modality("audio" if name == "audio" else "text")
        chosen.train(chosen.settings().make(values), open_prepared(folder / "prepared"), folder / name, device="cpu")
    soundfile.write(folder / "a.wav", numpy.random.default_rng(0).uniform(-0.5, 0.5, 48_000), 16_000)
    print("command", "engine", "processor seconds", "times", sep="\t")
    first = {"bag": 0.0}
    for name, engine in COMMANDS:
        given = str(folder / "a.wav") if name == "audio" else "I did not expect that!"
        words = [sys.executable, "-m", "emokit", "predict", str(folder / name), given, "--engine", engine]
        seconds = min(command_seconds(words) for _ in range(3))
        first.setdefault(name, seconds)
        print(f"predict {name}", engine, f"{seconds:.2f}", f"{(first[name] or seconds) / seconds:.1f}", sep="\t")


def command_seconds(words: list[str]) -> float:
    """Processor seconds of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
