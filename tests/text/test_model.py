"""Encoders and tokenizers: unusable ones are refused with a sentence; the same texts give the same tokenizer."""

import json
import sys

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models
from transformers import (
    BertConfig,
    BertModel,
    DistilBertConfig,
    GPT2Config,
    GPT2Model,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
    Wav2Vec2Config,
    dynamic_module_utils,
)

from emokit.errors import DataError, UsageError
from emokit.labels import DEFAULT_LABELS, LabelSet
from emokit.text.model import pretrained, tiny, train_tokenizer
from emokit.text.settings import TextSettings, TinySettings

MOODS = LabelSet(("tired", "calm", "cross"))
TEXTS = ["the quick brown fox", "jumps over the lazy dog", "and the fox is happy"]


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


@pytest.fixture
def encoder(tmp_path):
    """A folder with a small BERT without a head, as a pretrained encoder has it."""
    tokenizer = train_tokenizer(TEXTS, TinySettings(vocab_size=300), 64)
    shape = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8, "num_hidden_layers": 1}
    BertModel(BertConfig(vocab_size=len(tokenizer), max_position_embeddings=64, **shape)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return tmp_path


def settings(folder, **features):
    return TextSettings.make({"model": {"name": str(folder)}, "features": {"max_length": 32} | features})


def refusal(kind, folder, **features):
    with pytest.raises(kind) as error:
        pretrained(settings(folder, **features), DEFAULT_LABELS)
    return str(error.value)


@pytest.mark.parametrize("labels", [DEFAULT_LABELS, MOODS])
def test_an_encoder_gets_a_head_of_the_label_set(encoder, labels):
    model, tokenizer = pretrained(settings(encoder), labels)
    assert model.config.id2label == labels.id2label
    assert model.config.label2id == labels.label2id
    assert model.classifier.out_features == len(labels)
    assert model.config._attn_implementation == "sdpa"
    assert tokenizer.model_max_length == 32
    assert next(model.parameters()).dtype == torch.float32


def test_a_length_beyond_the_models_positions_is_refused(encoder):
    assert refusal(UsageError, encoder, max_length=128) == (
        f"features.max_length is 128 and {encoder} takes at most 64 tokens; lower it."
    )


def test_the_models_positions_count_where_the_tokenizer_allows_more(encoder):
    config = json.loads((encoder / "tokenizer_config.json").read_text())
    (encoder / "tokenizer_config.json").write_text(json.dumps(config | {"model_max_length": 512}))
    assert refusal(UsageError, encoder, max_length=128) == (
        f"features.max_length is 128 and {encoder} takes at most 64 tokens; lower it."
    )


def test_positions_up_to_the_padding_token_are_not_usable(encoder):
    for name in ("config.json", "model.safetensors"):
        (encoder / name).unlink()
    shape = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8, "num_hidden_layers": 1}
    config = RobertaConfig(vocab_size=300, max_position_embeddings=34, pad_token_id=1, **shape)
    RobertaModel(config).save_pretrained(encoder)
    model, tokenizer = pretrained(settings(encoder, max_length=32), DEFAULT_LABELS)
    model(**tokenizer("the fox " * 40, truncation=True, return_tensors="pt"))
    assert refusal(UsageError, encoder, max_length=33) == (
        f"features.max_length is 33 and {encoder} takes at most 32 tokens; lower it."
    )


def test_a_model_without_a_padding_token_gets_its_tokenizers(encoder):
    for name in ("config.json", "model.safetensors"):
        (encoder / name).unlink()
    GPT2Model(GPT2Config(vocab_size=300, n_positions=64, n_embd=8, n_layer=1, n_head=2)).save_pretrained(encoder)
    model, tokenizer = pretrained(settings(encoder), DEFAULT_LABELS)
    batch = tokenizer(["the fox", "jumps over the lazy dog"], padding=True, return_tensors="pt")
    del batch["token_type_ids"]
    assert model(**batch).logits.shape == (2, 7)
    assert model.config.pad_token_id == tokenizer.pad_token_id


def test_the_tokenizer_of_another_model_is_refused(encoder):
    shape = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8, "num_hidden_layers": 1}
    BertModel(BertConfig(vocab_size=50, max_position_embeddings=64, **shape)).save_pretrained(encoder)
    size = len(train_tokenizer(TEXTS, TinySettings(vocab_size=300), 64))
    assert refusal(DataError, encoder) == (
        f"{encoder} has a tokenizer of {size} tokens and a model of 50, so they do not belong together; "
        "fetch or make it again."
    )


def test_a_folder_without_tokenizer_is_refused(encoder):
    for path in encoder.glob("tokenizer*"):
        path.unlink()
    assert refusal(DataError, encoder) == (f"{encoder} has a model and no vocabulary of its tokenizer; make it again.")


def test_a_tokenizer_without_padding_token_is_refused(encoder):
    raw = Tokenizer(models.WordLevel({"a": 0, "<unk>": 1}, unk_token="<unk>"))
    for path in encoder.glob("tokenizer*"):
        path.unlink()
    PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="<unk>").save_pretrained(encoder)
    assert refusal(UsageError, encoder) == (
        f"{encoder} has a tokenizer without a padding token, so texts of different lengths cannot share a batch; "
        "choose another model.name."
    )


def test_a_model_that_needs_remote_code_is_refused_unless_it_is_allowed(encoder, tmp_path, monkeypatch):
    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr(sys, "path", [*sys.path])  # transformers adds the cache of modules
    config = json.loads((encoder / "config.json").read_text())
    config |= {
        "model_type": "homemade",
        "auto_map": {
            "AutoConfig": "homemade.HomemadeConfig",
            "AutoModelForSequenceClassification": "homemade.Homemade",
        },
    }
    (encoder / "config.json").write_text(json.dumps(config))
    (encoder / "homemade.py").write_text(
        "from transformers import BertConfig, BertForSequenceClassification\n"
        "class HomemadeConfig(BertConfig):\n    model_type = 'homemade'\n"
        "class Homemade(BertForSequenceClassification):\n    config_class = HomemadeConfig\n"
    )
    assert refusal(UsageError, encoder) == (
        f"{encoder} runs code that comes with it; read that code, and add --trust-remote-code if you trust it."
    )
    model, _ = pretrained(settings(encoder), DEFAULT_LABELS, trust_remote_code=True)
    assert type(model).__name__ == "Homemade"


@pytest.mark.parametrize("has_tokenizer", [True, False])
def test_a_model_type_without_a_text_classifier_is_refused(encoder, has_tokenizer):
    Wav2Vec2Config().save_pretrained(encoder)
    for path in encoder.glob("tokenizer*"):
        if not has_tokenizer:
            path.unlink()
    assert refusal(DataError, encoder) == (
        f"{encoder} is a wav2vec2 model, for which transformers has no text classifier; choose another model.name."
    )


def test_pickled_weights_are_refused(encoder):
    (encoder / "model.safetensors").rename(encoder / "pytorch_model.bin")
    assert refusal(DataError, encoder) == (
        f"{encoder} has no weights as safetensors, and emokit reads no others; convert them or choose others."
    )


def test_weights_of_another_encoder_are_refused(encoder):
    (encoder / "config.json").unlink()
    config = DistilBertConfig(dim=8, n_heads=2, hidden_dim=8, n_layers=1, vocab_size=300, max_position_embeddings=64)
    config.save_pretrained(encoder)
    assert refusal(DataError, encoder) == (
        f"{encoder} lacks weights of its encoder, such as distilbert.transformer.layer.0.attention.k_lin.bias; "
        "fetch or make it again."
    )


def test_a_damaged_folder_is_named(encoder):
    (encoder / "model.safetensors").write_bytes((encoder / "model.safetensors").read_bytes()[:100])
    sentence = refusal(DataError, encoder)
    assert sentence.startswith(f"{encoder} holds no complete model (")
    assert sentence.endswith("); make it again.")


def test_weights_that_are_not_finite_are_refused_before_a_training(encoder):
    weights = load_file(encoder / "model.safetensors")
    name = min(weights)
    save_file(weights | {name: weights[name] / 0}, encoder / "model.safetensors", metadata={"format": "pt"})
    sentence = refusal(DataError, encoder)
    assert sentence.startswith(f"{encoder} has a damaged model (")
    assert sentence.endswith(" has numbers that are not finite); make it again.")


@pytest.fixture
def cached(encoder, monkeypatch, tmp_path):
    """The same model in a cache, under the name some/encoder."""
    snapshot = tmp_path / "cache" / "models--some--encoder" / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (snapshot.parent.parent / "refs").mkdir()
    (snapshot.parent.parent / "refs" / "main").write_text("0" * 40)
    for path in encoder.iterdir():
        if path.is_file():
            path.rename(snapshot / path.name)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    return snapshot


def test_a_corrupted_cache_is_named_with_the_command_that_repairs_it(cached):
    (cached / "config.json").write_text('{"model_type": ')
    sentence = refusal(DataError, "some/encoder")
    assert sentence.startswith(f"{cached} holds no complete model (")
    assert sentence.endswith(f"); delete {cached} and fetch it again with `hf download some/encoder`.")


def test_a_cache_without_the_weights_is_named_with_the_command_that_fetches_them(cached):
    (cached / "model.safetensors").unlink()
    assert refusal(DataError, "some/encoder") == (
        f"{cached} has no weights as safetensors, and emokit reads no others; fetch them with "
        "`hf download some/encoder`, convert them or choose others."
    )


def test_a_cache_without_the_tokenizer_is_named_with_the_command_that_fetches_it(cached):
    for path in cached.glob("tokenizer*"):
        path.unlink()
    assert refusal(DataError, "some/encoder") == (
        f"{cached} has a model and no vocabulary of its tokenizer; fetch it with `hf download some/encoder`."
    )


def test_the_same_texts_give_the_same_tokenizer():
    texts = [f"word{i % 97} sun{i % 13}ny day{i} go{i % 7}ing" for i in range(2000)]
    tokenizers = {
        train_tokenizer(texts, TinySettings(vocab_size=500), 64).backend_tokenizer.to_str() for _ in range(5)
    }  # each time with other hash seeds, as in another process
    assert len(tokenizers) == 1


def test_a_trained_tokenizer_encodes_every_text():
    tokenizer = train_tokenizer(TEXTS, TinySettings(vocab_size=300), 64)
    text = "مرحبا 😂 ünïcode \u202e"
    assert tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True).strip() == text


def test_a_tiny_model_has_the_shape_of_its_settings():
    values = {
        "kind": "tiny",
        "tiny": {"vocab_size": 300, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2},
    }
    model, tokenizer = tiny(TextSettings.make({"model": values, "features": {"max_length": 40}}), MOODS, TEXTS)
    assert model.config.id2label == {0: "tired", 1: "calm", 2: "cross"}
    assert (model.config.num_hidden_layers, model.config.hidden_size) == (2, 16)
    assert model.config.vocab_size == len(tokenizer) <= 300
    assert model.config.max_position_embeddings == tokenizer.model_max_length == 40
    assert tokenizer.decode(tokenizer("The FOX")["input_ids"], skip_special_tokens=True).strip() == "the fox"


@pytest.mark.parametrize("has_prefix", [False, True])
def test_a_config_of_fewer_or_no_layers_than_the_weights_is_refused(encoder, has_prefix):
    path, weights = encoder / "config.json", load_file(encoder / "model.safetensors")
    upper = {name.replace("layer.0.", "layer.1."): value for name, value in weights.items() if "layer.0." in name}
    weights = {name: value.clone() for name, value in (weights | upper).items()}
    named = {f"bert.{name}" if has_prefix else name: value for name, value in weights.items()}
    save_file(named, encoder / "model.safetensors", {"format": "pt"})
    sentence = refusal(DataError, encoder)
    assert sentence.startswith(f"{encoder} has a damaged model (")
    assert "encoder.layer.1." in sentence
    assert sentence.endswith(" has no place in the model of its config.json); make it again.")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"num_hidden_layers": 0}))
    assert refusal(DataError, encoder) == (
        f"{path} has num_hidden_layers = 0 where a whole number above 0 was expected; make it again."
    )
