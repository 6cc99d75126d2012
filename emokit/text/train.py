"""Train a text model from a prepared folder into a run folder; test is scored once, at the end."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import torch
from accelerate import Accelerator
from scipy.special import softmax
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emokit import runs
from emokit.data.prepared import Prepared
from emokit.data.utterance import HELD_OUT
from emokit.labels import LabelSet
from emokit.modality.protocol import Plan, Progress
from emokit.runtime import seed_everything
from emokit.text import bag_of_words, model, zero_shot
from emokit.text.batches import TextBatches
from emokit.text.card import SIMPLE_BASELINE, card_facts
from emokit.text.classified import BagOfWordsClassifier, Classifier
from emokit.text.classifier import EncoderClassifier, logits_of
from emokit.text.features import Tokens, tokenize
from emokit.text.label_issues import write_label_issues
from emokit.text.layers import layer_groups
from emokit.text.predictor import TextPredictor
from emokit.text.probe import fit as probe
from emokit.text.probe.model import ProbeForTextClassification
from emokit.text.settings import TextSettings
from emokit.text.splits import SplitData, read_splits
from emokit.training.hardware import new_accelerator
from emokit.training.loop import DevMetrics, Epoch
from emokit.training.objective import CrossEntropy
from emokit.training.run import (
    NOT_TRAINED,
    Baseline,
    OnBatch,
    begin,
    check_begin,
    class_weights,
    complete,
    dev_metrics,
    save_model,
    train_epochs,
)

LoadedModel = tuple[PreTrainedModel, PreTrainedTokenizerBase]


def train(
    settings: TextSettings,
    prepared: Prepared,
    run: Path,
    *,
    device: str = "auto",
    precision: str = "auto",
    compile: bool = False,
    resume: bool = False,
    force: bool = False,
    held_out: tuple[str, ...] = HELD_OUT,
    on_epoch: Callable[[Epoch], None] | None = None,
    on_batch: OnBatch | None = None,
    trust_remote_code: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train, predict and score the held-out splits, and complete the run folder; arguments as in `Modality.train`.

    Predictions are computed in float32 whatever the precision of training.

    Raises:
        UsageError: the run folder exists, a corpus is missing, the model needs remote code that was not allowed, …
        DataError: a split is empty, the pretrained model cannot be fetched, …
        WorkError: the training collapsed or the disk is full.
    """
    accelerator = new_accelerator(device, precision, compile=compile)
    check_begin(run, settings, prepared, accelerator, resume=resume, force=force)
    splits = read_splits(settings, prepared, held_out)
    # Before the run folder is made, so that a model that cannot be loaded leaves no folder.
    loaded = _initial_model(settings, prepared.labels, splits["train"], trust_remote_code)
    ledger = begin(run, settings, prepared, splits["train"].table["corpus"], accelerator, resume=resume, force=force)
    about: dict[str, Any] = {"name": settings.name, "modality": settings.modality}
    is_trained = settings.model.kind in ("pretrained", "tiny")
    if not accelerator.is_main_process:
        if loaded is not None and is_trained:
            _train_encoder(settings, splits, run, loaded, accelerator, on_epoch, on_batch, resume)
        return {}
    train_split, dev_split = splits["train"], splits["dev"]
    baseline = bag_of_words.fit(
        train_split.texts, train_split.shares, dev_split.texts, dev_split.targets, prepared.labels
    )
    classifier: Classifier
    probabilities: dict[str, numpy.ndarray] | None = None
    if loaded is None:
        runs.write_model(run, partial(bag_of_words.save, baseline))
        about |= {"model": "tfidf", "parameters": baseline.num_parameters, **NOT_TRAINED}
        classifier = BagOfWordsClassifier(baseline, lambda: train_split.texts)
    else:
        encoder, tokenizer = loaded
        about |= {"model": encoder.config.model_type, "parameters": encoder.num_parameters()}
        if isinstance(encoder, ProbeForTextClassification):
            about["model"] = encoder.encoder.config.model_type
        label_map = None
        if is_trained:
            about |= _train_encoder(settings, splits, run, loaded, accelerator, on_epoch, on_batch, resume)
        elif isinstance(encoder, ProbeForTextClassification):
            probabilities = probe.fit(encoder, tokenizer, prepared, splits, accelerator.device, progress)
            save_model(run, encoder, tokenizer.save_pretrained)
            about |= NOT_TRAINED
        else:
            save_model(run, encoder, tokenizer.save_pretrained)
            label_map = zero_shot.label_map(encoder.config, settings.model.labels, settings.model.name, prepared.labels)
            about |= {**NOT_TRAINED, "missing_labels": label_map.missing}
        classifier = EncoderClassifier(encoder.to(accelerator.device).eval(), tokenizer, label_map)
    predictor = TextPredictor(classifier, settings, prepared.labels)
    predicted = {
        split: predictor.predict_data(
            splits[split], prepared.fingerprint, probabilities[split] if probabilities else None
        )
        for split in held_out
    }
    write_label_issues(run, predicted["dev"], dev_split.table)
    simple = {split: baseline.probabilities(splits[split].texts).argmax(axis=1) for split in held_out}
    return complete(
        run,
        about,
        ledger,
        predicted,
        train_split.table["label"],
        Baseline(SIMPLE_BASELINE, simple) if loaded else None,
        card_facts(settings.as_dict()),
    )


def plan(settings: TextSettings, prepared: Prepared, trust_remote_code: bool = False) -> Plan:
    """What a training would do: utterances, steps per epoch, share of padding in its batches, and truncated texts per split."""
    splits = read_splits(settings, prepared)
    utterances = {split: len(data.table) for split, data in splits.items()}
    loaded = _initial_model(settings, prepared.labels, splits["train"], trust_remote_code)
    if loaded is None or settings.model.kind in ("zero_shot", "probe"):
        return Plan(utterances, {"steps_per_epoch": 0})
    batches = _new_batches(settings, splits["train"], loaded[1])
    num_cut = {split: int(tokenize(data.passages, loaded[1]).is_cut.sum()) for split, data in splits.items()}
    facts = {
        "steps_per_epoch": -(-len(batches) // settings.training.gradient_accumulation_steps),
        "padding_share": round(batches.padding_share(), 4),
        "texts_cut": num_cut,
    }
    return Plan(utterances, facts)


def _new_batches(settings: TextSettings, data: SplitData, tokenizer: PreTrainedTokenizerBase) -> TextBatches:
    return TextBatches(
        tokenize(data.passages, tokenizer).rows,
        data.shares,
        tokenizer,
        batch_size=settings.training.batch_size,
        max_tokens_per_batch=settings.training.max_tokens_per_batch,
        seed=settings.training.seed,
        balanced=settings.training.class_balancing == "sampler",
    )


def _initial_model(
    settings: TextSettings, labels: LabelSet, train_split: SplitData, trust_remote_code: bool
) -> LoadedModel | None:
    """The model before training, its new weights seeded, and its tokenizer; None for a bag of words."""
    seed_everything(settings.training.seed)
    match settings.model.kind:
        case "tfidf":
            return None
        case "tiny":
            passages = train_split.passages
            texts = [text for passage in passages for text in (passage.text_with_speaker, *passage.context)]
            return model.tiny(settings, labels, texts)
        case "probe":
            return probe.initial_probe(settings, labels)
        case "zero_shot":
            return zero_shot.classifier(settings, labels, trust_remote_code=trust_remote_code)
        case "pretrained":
            return model.pretrained(settings, labels, trust_remote_code=trust_remote_code)


def _train_encoder(
    settings: TextSettings,
    splits: dict[str, SplitData],
    run: Path,
    loaded: LoadedModel,
    accelerator: Accelerator,
    on_epoch: Callable[[Epoch], None] | None,
    on_batch: OnBatch | None,
    resume: bool,
) -> dict[str, int]:
    """Train into the run folder; afterwards the encoder has the saved weights."""
    encoder, tokenizer = loaded
    training, train_split, dev_split = settings.training, splits["train"], splits["dev"]
    if training.gradient_checkpointing:
        # Its name differs between releases of transformers 5.
        getattr(encoder, "activation_checkpointing_enable", encoder.gradient_checkpointing_enable)()
    batches = _new_batches(settings, train_split, tokenizer)
    weights = class_weights(train_split.shares, training.class_balancing)
    return train_epochs(
        run,
        encoder,
        batches,
        len(batches),
        _evaluation(tokenize(dev_split.passages, tokenizer), dev_split, tokenizer),
        training,
        accelerator,
        CrossEntropy(training.label_smoothing, weights),
        on_epoch,
        on_batch=on_batch,
        groups=layer_groups(encoder, training),
        save_beside=tokenizer.save_pretrained,
        resume=resume,
    )


def _evaluation(
    tokens: Tokens, data: SplitData, tokenizer: PreTrainedTokenizerBase
) -> Callable[[torch.nn.Module], DevMetrics]:
    def evaluate(current: torch.nn.Module) -> DevMetrics:
        return dev_metrics(softmax(logits_of(current, tokens, tokenizer), axis=1), data.targets)

    return evaluate
