"""The model that reads text and its tokenizer: a pretrained encoder with a new head, or a small BERT from nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from emokit.errors import DataError, UsageError
from emokit.labels import ID2LABEL, NUM_LABELS, TARGETS
from emokit.text.settings import ModelSettings, TextSettings, TinySettings
from emokit.training.hub import check_weights, fetching, find_model, read_pretrained


def pretrained(
    settings: TextSettings, *, trust_remote_code: bool = False
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A pretrained encoder with a new head of seven logits, and its tokenizer.

    Raises:
        UsageError: it needs code of its own that was not asked for, it cannot be padded or it reads less than `max_length`.
        DataError: it is not to be had, is damaged, is of a kind without a text classifier, or has another's tokenizer.
    """
    folder = find_model(settings.model.name, settings.model.revision)
    tokenizer = read_tokenizer(folder, settings.model, trust_remote_code=trust_remote_code)
    labels = {"num_labels": NUM_LABELS, "id2label": ID2LABEL, "label2id": TARGETS}
    model, missing = read_weights(folder, settings.model, trust_remote_code=trust_remote_code, **labels)
    body = [name for name in missing if name.startswith(f"{model.base_model_prefix}.") and ".pooler." not in name]
    if body:
        raise DataError(f"{folder} lacks weights of its encoder, {body[0]} among them; fetch or make it again, whole.")
    match(tokenizer, model, settings)
    return model, tokenizer


def tiny(settings: TextSettings, texts: Sequence[str]) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A small BERT with random weights, and a tokenizer that has learned its word pieces from `texts`."""
    of, length = settings.model.tiny, settings.features.max_length
    tokenizer = learn_tokenizer(texts, of, length)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=of.hidden_size,
        num_hidden_layers=of.num_hidden_layers,
        num_attention_heads=of.num_attention_heads,
        intermediate_size=4 * of.hidden_size,
        max_position_embeddings=length,
        pad_token_id=tokenizer.pad_token_id,
        id2label=ID2LABEL,
        label2id=TARGETS,
    )
    return AutoModelForSequenceClassification.from_config(config), tokenizer


def learn_tokenizer(texts: Sequence[str], of: TinySettings, max_length: int) -> PreTrainedTokenizerBase:
    """A tokenizer with pieces of words from `texts`, in lower case; the same texts give the same pieces.

    Bytes are what it begins with, so that no text is unknown to it. (The trainer of WordPiece breaks ties by chance.)
    """
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    pad, start, end = special = ["[PAD]", "[CLS]", "[SEP]"]
    raw = Tokenizer(models.BPE())
    raw.normalizer = normalizers.Lowercase()
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=of.vocab_size,
        special_tokens=special,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    raw.train_from_iterator(texts, trainer)
    raw.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}",
        pair=f"{start} $A {end} $B:1 {end}:1",
        special_tokens=[(token, raw.token_to_id(token)) for token in (start, end)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        pad_token=pad,
        cls_token=start,
        sep_token=end,
        model_max_length=max_length,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


def read_tokenizer(folder: Path, of: ModelSettings, *, trust_remote_code: bool = False) -> PreTrainedTokenizerBase:
    """The tokenizer that lies in a folder.

    Raises:
        UsageError: it needs code of its own that was not asked for, or has no padding token.
        DataError: it is damaged or not there.
    """
    tokenizer = read_pretrained(AutoTokenizer, folder, of.name, of.revision, trust_remote_code=trust_remote_code)
    # Where its files are missing, transformers makes one to which every word is unknown.
    if len(tokenizer) <= len(set(tokenizer.all_special_ids)):
        again = "make it again" if folder == Path(of.name) else f"fetch it with {fetching(of.name, of.revision)}"
        raise DataError(f"{folder} has a model and no words of its tokenizer; {again}, whole.")
    if tokenizer.pad_token_id is None:
        raise UsageError(
            f"{of.name} has a tokenizer without a padding token, so texts of several lengths make no batch; "
            "choose another model.name."
        )
    return tokenizer


def read_weights(
    folder: Path, of: ModelSettings, *, trust_remote_code: bool = False, **how: Any
) -> tuple[PreTrainedModel, list[str]]:
    """The model that lies in a folder as a classifier, and the names of the weights that the folder lacks: drawn anew.

    Raises:
        UsageError: it needs code of its own that was not asked for.
        DataError: it is damaged, has no safetensors, or is of a kind without a text classifier.
    """
    check_weights(folder, of.name, of.revision)
    config = read_pretrained(AutoConfig, folder, of.name, of.revision, trust_remote_code=trust_remote_code)
    remote = "AutoModelForSequenceClassification" in (getattr(config, "auto_map", None) or {})
    if not remote and type(config) not in AutoModelForSequenceClassification._model_mapping:
        raise DataError(
            f"{of.name} is a {config.model_type} model, of which transformers makes no text classifier; "
            "choose another model.name."
        )
    # Computed in float32 whatever the weights are kept in; the loop chooses the precision of training itself.
    how |= {
        "use_safetensors": True,
        "dtype": torch.float32,
        "ignore_mismatched_sizes": True,
        "output_loading_info": True,
        "trust_remote_code": trust_remote_code,
    }
    model, info = read_pretrained(AutoModelForSequenceClassification, folder, of.name, of.revision, **how)
    mismatched = [name for name, *_ in info["mismatched_keys"]]
    return model, sorted([*info["missing_keys"], *mismatched])


def match(tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, settings: TextSettings) -> None:
    """Have the tokenizer read no more than `features.max_length`, and the model know which token is padding.

    Raises:
        UsageError: the model reads less than that.
        DataError: the tokenizer has pieces of words that the model has no numbers for.
    """
    name, wanted = settings.model.name, settings.features.max_length
    most = min(tokenizer.model_max_length, _positions(model) or wanted)
    if wanted > most:
        raise UsageError(f"features.max_length is {wanted} and {name} reads at most {most} tokens; lower it.")
    known = getattr(model.config, "vocab_size", None) or len(tokenizer)
    if len(tokenizer) > known:
        raise DataError(
            f"{name} has a tokenizer of {len(tokenizer)} pieces of words and a model that knows {known}, so they do not belong "
            "together; fetch or make it again, whole."
        )
    tokenizer.model_max_length = wanted
    if model.config.pad_token_id is None:
        model.config.pad_token_id = tokenizer.pad_token_id


def _positions(model: PreTrainedModel) -> int | None:
    """How many tokens a model has positions for; None where it sets no bound."""
    for name, part in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(part, torch.nn.Embedding):
            # RoBERTa and its kin begin to count after the number of the padding token
            return part.num_embeddings - (0 if part.padding_idx is None else part.padding_idx + 1)
    return getattr(model.config, "max_position_embeddings", None)
