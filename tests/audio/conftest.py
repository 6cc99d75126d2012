"""Runs and small models that audio tests share: a trained ACRNN, other labels, pretrained encoders with random weights."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

# Twelve frames of 0.25 s at 16 kHz, as a real encoder has: 320 samples per frame.
CONVOLUTIONS = {"conv_dim": (8, 8, 8), "conv_kernel": (10, 8, 4), "conv_stride": (10, 8, 4)}
POSITIONS = {"num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2}
LAYERS = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
KINDS = ("wav2vec2", "hubert", "wavlm", "whisper")

OTHER_LABELS = ("positive", "negative", "calm")


def write_encoder(kind: str, folder: Path, **overrides: object) -> Path:
    """Save a small encoder of a kind with its feature extractor; `overrides` goes into its config."""
    import torch
    import transformers as t

    torch.manual_seed(3)
    if kind == "whisper":
        halves = {"decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 16, "vocab_size": 20}
        halves |= {"encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 16, "d_model": 16}
        tokens = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}
        config = t.WhisperConfig(num_mel_bins=16, max_source_positions=100, **halves, **tokens, **overrides)
        t.WhisperModel(config).save_pretrained(folder)
        t.WhisperFeatureExtractor(feature_size=16, chunk_length=2).save_pretrained(folder)
        return folder
    config_class, model_class = {
        "wav2vec2": (t.Wav2Vec2Config, t.Wav2Vec2Model),
        "wav2vec2-conformer": (t.Wav2Vec2ConformerConfig, t.Wav2Vec2ConformerModel),
        "hubert": (t.HubertConfig, t.HubertModel),
        "wavlm": (t.WavLMConfig, t.WavLMModel),
    }[kind]
    model_class(config_class(**{**CONVOLUTIONS, **POSITIONS, **LAYERS, **overrides})).save_pretrained(folder)
    t.Wav2Vec2FeatureExtractor().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def encoder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A kind -> the folder of a small encoder of it; read-only for tests."""
    folders: dict[str, Path] = {}

    def folder(kind: str) -> Path:
        if kind not in folders:
            folders[kind] = write_encoder(kind, tmp_path_factory.mktemp(kind))
        return folders[kind]

    return folder


@pytest.fixture(scope="session")
def acrnn_run(small_prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete run of an ACRNN with the values of `small_settings`; read-only for tests."""
    from emokit.audio.modality import AUDIO
    from emokit.audio.settings import AudioSettings
    from emokit.data.prepared import open_prepared

    settings = AudioSettings.make(
        {
            "name": "small",
            "data": {"window_seconds": 1.5},
            "features": {"sample_rate": 16000, "n_fft": 512, "hop_length": 320, "n_mels": 32},
            "model": {"channels": [4, 8], "lstm_hidden_size": 8, "num_attention_heads": 2, "classifier_hidden_size": 8},
            "training": {"max_epochs": 3, "batch_size": 16, "lr": 0.005},
        }
    )
    run = tmp_path_factory.mktemp("acrnn") / "run"
    AUDIO.train(settings, open_prepared(small_prepared), run, device="cpu")
    return run


@pytest.fixture(scope="session")
def relabelled(small_prepared: Path, tmp_path_factory: pytest.TempPathFactory, seal: Callable[[Path], None]) -> Path:
    """A copy of `small_prepared` with three labels of other names; read-only for tests."""
    import pandas

    folder = shutil.copytree(small_prepared, tmp_path_factory.mktemp("relabelled") / "prepared")
    settings = yaml.safe_load((folder / "settings.yaml").read_text())
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings | {"labels": list(OTHER_LABELS)}))
    table = pandas.read_parquet(folder / "utterances.parquet")
    renamed = {"happy": "positive", "neutral": "calm"}
    table["label"] = [renamed.get(label, "negative") for label in table["label"]]
    table.to_parquet(folder / "utterances.parquet", index=False)
    seal(folder)
    return folder
