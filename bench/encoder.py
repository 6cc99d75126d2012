"""What a frozen speech encoder costs: the first epoch against later ones, and recordings as they are against 30 s of padding.

    EMOKIT_MODELS=DIR make bench PART=encoder

The encoder is Whisper tiny.en of EMOKIT_MODELS if it is set, else one of its shape with random weights. Data are EmoDB's
utterances, synthesised; one process, one thread, and only ratios of one run are compared.
"""

import os
import tempfile
import time
from pathlib import Path

import numpy
import torch
from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperModel

from emokit.audio.settings import AudioSettings, FeatureSettings
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.audio.waveform.encoder import SpeechForAudioClassification
from emokit.audio.waveform.frozen import FrozenBatches
from emokit.audio.waveform.layer_cache import layers_of
from emokit.audio.waveform.predict import layer_statistics
from emokit.audio.waveform.pretrained import pretrained
from emokit.data.catalogue import read_catalogue, with_roots
from emokit.data.plan import Plan
from emokit.data.prepare import prepare
from emokit.data.prepared import Prepared, open_prepared
from emokit.data.splits.draw import SplitSettings
from emokit.data.synthesis.corpora import write_corpus
from emokit.training.splits import target_shares

CLIPS, ROUNDS = 32, 3


def main() -> None:
    """Print both ratios."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepared = new_prepared(folder)
        settings = AudioSettings.make(
            {
                "model": {"name": str(encoder_in(folder)), "frozen": True},
                "data": {"window_seconds": 30},
                "training": {"max_seconds_per_batch": 100},
            }
        )
        model = pretrained(settings, prepared.labels)
        rows = prepared.table
        shares = target_shares(rows, prepared.labels, soft=False)
        optimizer = torch.optim.AdamW(
            [parameter for parameter in model.parameters() if parameter.requires_grad], lr=1e-3
        )

        def epoch() -> float:
            start = time.perf_counter()
            batches = FrozenBatches(layers_of(model, prepared, rows), shares, settings.training)
            for batch in batches(1):
                logits = model(layer_means=batch["layer_means"]).logits
                torch.nn.functional.cross_entropy(logits, batch["targets"]).backward()
                optimizer.step()
                optimizer.zero_grad()
            return time.perf_counter() - start

        first, *later = [epoch() for _ in range(1 + ROUNDS)]
        print("utterances", "first epoch s", "later epoch s", "ratio", sep="\t")
        print(len(rows), f"{first:.1f}", f"{min(later):.3f}", f"{first / min(later):.0f}", sep="\t")

        random = numpy.random.default_rng(0)
        clips = [random.normal(0, 0.1, 3 * 16_000).astype(numpy.float32) for _ in range(CLIPS)]
        padded = [numpy.pad(clip, (0, 27 * 16_000)) for clip in clips]
        as_they_are, at_30_seconds = (seconds_of(model, waveforms) for waveforms in (clips, padded))
        print("clips of 3 s", "as they are s", "padded to 30 s", "ratio", sep="\t")
        ratio = f"{at_30_seconds / as_they_are:.1f}"
        print(CLIPS, f"{as_they_are:.2f}", f"{at_30_seconds:.2f}", ratio, sep="\t")


def new_prepared(folder: Path) -> Prepared:
    """A synthesised EmoDB at full size."""
    write_corpus("emodb", folder / "emodb")
    features = FeatureSettings()
    corpora = with_roots(read_catalogue(), {"emodb": folder / "emodb"}, [f"emodb={folder / 'emodb'}"])
    prepare(Plan(tuple(corpora), features, SplitSettings()), folder / "prepared", LogMel(features))
    return open_prepared(folder / "prepared")


def encoder_in(folder: Path) -> Path:
    """The folder of the encoder."""
    given = os.environ.get("EMOKIT_MODELS")
    if given and (Path(given) / "whisper-tiny.en").is_dir():
        return Path(given) / "whisper-tiny.en"
    torch.manual_seed(0)
    shape = {"d_model": 384, "encoder_layers": 4, "encoder_attention_heads": 6, "encoder_ffn_dim": 1536}
    WhisperModel(WhisperConfig(**shape, decoder_layers=1, vocab_size=100)).save_pretrained(folder / "encoder")
    WhisperFeatureExtractor(feature_size=80).save_pretrained(folder / "encoder")
    return folder / "encoder"


def seconds_of(model: SpeechForAudioClassification, waveforms: list[numpy.ndarray]) -> float:
    """The shortest time of a round through the waveforms."""
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        layer_statistics(model, waveforms)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


if __name__ == "__main__":
    main()
