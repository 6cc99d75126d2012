"""A run of a probe of a small encoder with random weights."""

import shutil

import pytest
from transformers import BertConfig, BertForSequenceClassification

from emokit.data.prepared import open_prepared
from emokit.text.model import train_tokenizer
from emokit.text.settings import TextSettings, TinySettings
from emokit.text.train import train


@pytest.fixture(scope="package")
def data(text_prepared, tmp_path_factory):
    """A copy, because the layers are stored beside it."""
    return shutil.copytree(text_prepared, tmp_path_factory.mktemp("probe") / "prepared")


@pytest.fixture(scope="package")
def encoder(data, tmp_path_factory):
    """A small encoder with random weights."""
    folder = tmp_path_factory.mktemp("encoder") / "bert"
    texts = open_prepared(data).table["text"].dropna().tolist()
    tokenizer = train_tokenizer(texts, TinySettings(vocab_size=400), 32)
    shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig(
        vocab_size=len(tokenizer), max_position_embeddings=32, pad_token_id=tokenizer.pad_token_id, **shape
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="package")
def probe_settings(encoder):
    """Makes the settings of a probe, with further settings of the model."""

    def settings(**model):
        values = {"name": "probe", "features": {"max_length": 24}}
        return TextSettings.make({**values, "model": {"kind": "probe", "name": str(encoder), **model}})

    return settings


@pytest.fixture(scope="package")
def run(data, probe_settings, tmp_path_factory):
    run = tmp_path_factory.mktemp("run") / "run"
    train(probe_settings(), open_prepared(data), run, device="cpu")
    return run
