"""Small speech encoders with random weights, saved as pretrained ones lie on disk."""

from collections.abc import Callable
from pathlib import Path

import pytest

# Twelve frames of 0.25 s at 16 kHz, as a real one has: 320 samples a frame.
CONVOLUTIONS = {"conv_dim": (8, 8, 8), "conv_kernel": (10, 8, 4), "conv_stride": (10, 8, 4)}
POSITIONS = {"num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2}
LAYERS = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
KINDS = ("wav2vec2", "hubert", "wavlm", "whisper")


def write_encoder(kind: str, folder: Path, **more: object) -> Path:
    """Save a small encoder of a kind with its feature extractor; `more` goes into its config."""
    import torch
    import transformers as t

    torch.manual_seed(3)
    if kind == "whisper":
        halves = {"decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 16, "vocab_size": 20}
        halves |= {"encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 16, "d_model": 16}
        tokens = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}
        of = t.WhisperConfig(num_mel_bins=16, max_source_positions=100, **halves, **tokens, **more)
        t.WhisperModel(of).save_pretrained(folder)
        t.WhisperFeatureExtractor(feature_size=16, chunk_length=2).save_pretrained(folder)
        return folder
    of, model = {
        "wav2vec2": (t.Wav2Vec2Config, t.Wav2Vec2Model),
        "wav2vec2-conformer": (t.Wav2Vec2ConformerConfig, t.Wav2Vec2ConformerModel),
        "hubert": (t.HubertConfig, t.HubertModel),
        "wavlm": (t.WavLMConfig, t.WavLMModel),
    }[kind]
    model(of(**{**CONVOLUTIONS, **POSITIONS, **LAYERS, **more})).save_pretrained(folder)
    t.Wav2Vec2FeatureExtractor().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def encoder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A kind -> the folder of a small encoder of it; read it, do not write to it."""
    made: dict[str, Path] = {}

    def folder(kind: str) -> Path:
        if kind not in made:
            made[kind] = write_encoder(kind, tmp_path_factory.mktemp(kind))
        return made[kind]

    return folder
