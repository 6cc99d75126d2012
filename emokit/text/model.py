"""Text encoders with their tokenizers: a pretrained one with a new head, or a small BERT with random weights."""

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
from emokit.labels import LabelSet
from emokit.text.settings import ModelSettings, TextSettings, TinySettings
from emokit.training.hub import check_weights, fetching, find_model, read_pretrained, remade
from emokit.training.model_checks import OF_RUN, check_finite, check_layers, check_no_more_layers, check_tensors

TOKENIZER = "tokenizer_config.json"


def pretrained(
    settings: TextSettings, labels: LabelSet, *, trust_remote_code: bool = False
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A pretrained encoder with a new head, one logit per label, and its tokenizer.

    Raises:
        UsageError: it needs remote code that was not allowed, it cannot be padded, or its inputs are shorter than `max_length`.
        DataError: it cannot be fetched, is damaged, has no text classifier, or has the tokenizer of another model.
    """
    folder = find_model(settings.model.name, settings.model.revision)
    # First, because a model of another kind, such as a speech encoder, has no tokenizer of texts either.
    model, missing = load_weights(
        folder,
        settings.model,
        trust_remote_code=trust_remote_code,
        num_labels=len(labels),
        id2label=labels.id2label,
        label2id=labels.label2id,
    )
    tokenizer = load_tokenizer(folder, settings.model, trust_remote_code=trust_remote_code)
    prefix = f"{model.base_model_prefix}."
    of_encoder = [name for name in missing if name.startswith(prefix) and ".pooler." not in name]
    if of_encoder:
        raise DataError(f"{folder} lacks weights of its encoder, such as {of_encoder[0]}; fetch or make it again.")
    match_tokenizer(tokenizer, model, settings)
    return model, tokenizer


def tiny(
    settings: TextSettings, labels: LabelSet, texts: Sequence[str]
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A small BERT with random weights, and a tokenizer trained on `texts`."""
    tokenizer = train_tokenizer(texts, settings.model.tiny, settings.features.max_length)
    config = BertConfig(
        vocab_size=len(tokenizer),
        **tiny_shape(settings),
        pad_token_id=tokenizer.pad_token_id,
        id2label=labels.id2label,
        label2id=labels.label2id,
    )
    return AutoModelForSequenceClassification.from_config(config), tokenizer


def tiny_shape(settings: TextSettings) -> dict[str, int]:
    """Name -> value of what the config of a tiny model states of the settings."""
    shape = settings.model.tiny
    return {
        "hidden_size": shape.hidden_size,
        "num_hidden_layers": shape.num_hidden_layers,
        "num_attention_heads": shape.num_attention_heads,
        "intermediate_size": 4 * shape.hidden_size,
        "max_position_embeddings": settings.features.max_length,
    }


def train_tokenizer(texts: Sequence[str], settings: TinySettings, max_length: int) -> PreTrainedTokenizerBase:
    """A lower-case BPE tokenizer trained on `texts`; the same texts give the same tokenizer.

    Its alphabet is all bytes, so that it can encode every text. (The trainer of WordPiece breaks ties at random.)
    """
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    pad, start, end = special = ["[PAD]", "[CLS]", "[SEP]"]
    raw = Tokenizer(models.BPE())
    raw.normalizer = normalizers.Lowercase()
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=settings.vocab_size,
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


def load_tokenizer(
    folder: Path, settings: ModelSettings, *, trust_remote_code: bool = False
) -> PreTrainedTokenizerBase:
    """Load the tokenizer in a folder.

    Raises:
        UsageError: it needs remote code that was not allowed, or has no padding token.
        DataError: it is missing or damaged.
    """
    name, revision = settings.name, settings.revision
    tokenizer = read_pretrained(AutoTokenizer, folder, name, revision, trust_remote_code=trust_remote_code)
    # transformers returns a tokenizer without a vocabulary where its files are missing.
    if len(tokenizer) <= len(set(tokenizer.all_special_ids)):
        again = "make it again" if folder == Path(name) else f"fetch it with {fetching(name, revision)}"
        raise DataError(f"{folder} has a model and no vocabulary of its tokenizer; {again}.")
    limit = tokenizer.model_max_length
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not limit >= 1:
        again = "make it again" if folder == Path(name) else f"fetch it again with {fetching(name, revision)}"
        raise DataError(
            f"{folder / TOKENIZER} has model_max_length = {limit!r} where a number of tokens was expected; {again}."
        )
    if tokenizer.pad_token_id is None:
        raise UsageError(
            f"{name} has a tokenizer without a padding token, so texts of different lengths cannot share a batch; "
            "choose another model.name."
        )
    return tokenizer


def load_weights(
    folder: Path, settings: ModelSettings, *, trust_remote_code: bool = False, of_run: bool = False, **options: Any
) -> tuple[PreTrainedModel, list[str]]:
    """Load the model in a folder as a classifier.

    Args:
        folder: with config and weights.
        settings: name the model in errors.
        trust_remote_code: allow code that comes with the model.
        of_run: the folder was written by a run, so its weights are all of its model and nothing else.
        options: of `from_pretrained`.

    Returns:
        the model, and the names of the weights that the folder lacks, which are random.

    Raises:
        UsageError: it needs remote code that was not allowed.
        DataError: it is damaged, has no safetensors, or has no text classifier.
    """
    name, revision = settings.name, settings.revision
    check_weights(folder, name, revision)
    config = read_pretrained(AutoConfig, folder, name, revision, trust_remote_code=trust_remote_code)
    is_remote = "AutoModelForSequenceClassification" in (getattr(config, "auto_map", None) or {})
    if not is_remote and type(config) not in AutoModelForSequenceClassification._model_mapping:
        raise DataError(
            f"{name} is a {config.model_type} model, for which transformers has no text classifier; "
            "choose another model.name."
        )
    advice = OF_RUN if of_run else remade(folder, name, revision)
    check_layers(config, folder, advice)
    # float32 whatever the type of the stored weights; the loop chooses the precision of training itself.
    options |= {
        "use_safetensors": True,
        "dtype": torch.float32,
        "ignore_mismatched_sizes": True,
        "output_loading_info": True,
        "trust_remote_code": trust_remote_code,
    }
    model, info = read_pretrained(AutoModelForSequenceClassification, folder, name, revision, **options)
    if of_run:
        check_tensors(info, folder)
    else:
        check_no_more_layers(model, info, folder, advice)
    check_finite(model, folder, advice)
    mismatched = [weight for weight, *_ in info["mismatched_keys"]]
    return model, sorted([*info["missing_keys"], *mismatched])


def match_tokenizer(tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, settings: TextSettings) -> None:
    """Limit the tokenizer to `features.max_length`, and set the model's padding token if it has none.

    Raises:
        UsageError: the model's inputs are shorter than that.
        DataError: the tokenizer has tokens that the model lacks.
    """
    name, max_length = settings.model.name, settings.features.max_length
    longest = min(tokenizer.model_max_length, _num_positions(model) or max_length)
    if max_length > longest:
        raise UsageError(f"features.max_length is {max_length} and {name} takes at most {longest} tokens; lower it.")
    vocab_size = getattr(model.config, "vocab_size", None) or len(tokenizer)
    if len(tokenizer) > vocab_size:
        raise DataError(
            f"{name} has a tokenizer of {len(tokenizer)} tokens and a model of {vocab_size}, so they do not belong together; "
            "fetch or make it again."
        )
    tokenizer.model_max_length = max_length
    if model.config.pad_token_id is None:
        model.config.pad_token_id = tokenizer.pad_token_id


def _num_positions(model: PreTrainedModel) -> int | None:
    """Most tokens that the model has positions for; None without a limit."""
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, torch.nn.Embedding):
            # RoBERTa and its variants number positions from the padding token's number plus one.
            return module.num_embeddings - (0 if module.padding_idx is None else module.padding_idx + 1)
    return getattr(model.config, "max_position_embeddings", None)
