"""Train a text model from a prepared folder into a run folder; test is scored once, at the end."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import pandas
from accelerate import Accelerator
from scipy.special import softmax
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emokit import predictions, runs
from emokit.data.prepared import Prepared
from emokit.errors import DataError
from emokit.labels import LABELS, TARGETS
from emokit.runtime import seed_everything
from emokit.text import bag_of_words, model, zero_shot
from emokit.text.batches import TextBatches
from emokit.text.features import tokenise
from emokit.text.label_issues import write_label_issues
from emokit.text.layers import layer_groups
from emokit.text.passages import Passage, passages_of
from emokit.text.predict import Classifier, Encoder, logits_of, read_classifier, rows_of
from emokit.text.settings import TextSettings
from emokit.training.hardware import new_accelerator
from emokit.training.loop import Epoch
from emokit.training.run import HELD_OUT, NOT_TRAINED, Baseline, begin, class_weights, complete, train_epochs


@dataclass(frozen=True)
class SplitData:
    """One split of the data: its rows and what is read of them, in the same order."""

    table: pandas.DataFrame
    passages: list[Passage]

    @property
    def texts(self) -> list[str]:
        """The utterances' own words."""
        return [passage.text for passage in self.passages]

    @property
    def targets(self) -> numpy.ndarray:
        """(utterances,) class numbers."""
        return self.table["label"].map(TARGETS).to_numpy(numpy.int64)


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
    trust_remote_code: bool = False,
    on_epoch: Callable[[Epoch], None] | None = None,
    held_out: tuple[str, ...] = HELD_OUT,
) -> dict[str, Any]:
    """Train, predict dev and test, score, and complete the run folder.

    Args:
        settings: the experiment.
        prepared: the data.
        run: the run folder to make, or to go on with where `resume` is set and it was begun.
        device: as `runtime.choose_device` takes it.
        precision: as `hardware.choose_precision` takes it; predictions are made in float32 whatever it is.
        compile: have torch compile the model for training.
        resume: go on after the last whole epoch.
        force: replace a run folder that exists.
        trust_remote_code: run code that comes with a pretrained model.
        on_epoch: called after each epoch, for showing it.
        held_out: the splits to read and score; a sweep leaves test alone.

    Returns:
        what `metrics.json` holds; nothing in the other processes of a training by several.

    Raises:
        UsageError: the run folder exists, a corpus is not there, the model needs code of its own, …
        DataError: a split is empty, the pretrained model is not to be had, …
        WorkError: the training collapsed or the disk is full.
    """
    accelerator = new_accelerator(device, precision, compile=compile)
    parts = read_splits(settings, prepared, held_out)
    # Before the folder is made: a model that is not to be had leaves nothing behind.
    loaded = _load(settings, parts, trust_remote_code)
    ledger = begin(run, settings, prepared, parts["train"].table["corpus"], accelerator, resume=resume, force=force)
    if not accelerator.is_main_process:
        if loaded is not None:
            _fit(settings, parts, run, *loaded, accelerator, on_epoch)
        return {}
    simple = bag_of_words.fit(parts["train"].texts, parts["train"].targets, parts["dev"].texts, parts["dev"].targets)
    about: dict[str, Any] = {"name": settings.name, "modality": settings.modality}
    if loaded is None:
        runs.write_model(run, lambda folder: bag_of_words.save(simple, folder))
        about |= {"model": "tfidf", "parameters": simple.num_parameters, **NOT_TRAINED}
    else:
        about |= {"model": loaded[0].config.model_type, "parameters": loaded[0].num_parameters()}
        about |= _fit(settings, parts, run, *loaded, accelerator, on_epoch)
    best = read_classifier(run, accelerator.device, trust_remote_code=trust_remote_code)
    if isinstance(best, Encoder) and best.labels:
        about["missing_labels"] = best.labels.missing
    found = {split: _predict(best, parts[split], settings, prepared) for split in held_out}
    write_label_issues(run, found["dev"], parts["dev"].table)
    predicted = {split: simple.probabilities(parts[split].texts).argmax(axis=1) for split in held_out}
    return complete(
        run, about, ledger, found, parts["train"].table["label"], Baseline(bag_of_words.DESCRIPTION, predicted)
    )


def read_splits(
    settings: TextSettings, prepared: Prepared, held_out: tuple[str, ...] = HELD_OUT
) -> dict[str, SplitData]:
    """The training split and those held out, of the corpora that the settings name.

    Raises:
        UsageError: a corpus is not in the prepared folder.
        DataError: a split has no utterance, training lacks a class, or a text is empty or no text.
    """
    table = rows_of(prepared, settings)
    parts = {}
    for split in ("train", *held_out):
        rows = table[table["split"] == split].reset_index(drop=True)
        if rows.empty:
            raise DataError(
                f"{prepared.folder} has no {split} utterances with text of {', '.join(sorted(set(table['corpus'])))}; "
                "prepare a corpus that has all three splits."
            )
        parts[split] = SplitData(rows, passages_of(rows, prepared.table, settings.data.context_turns))
    found = set(parts["train"].table["label"])
    missing = [label for label in LABELS if label in set(table["label"]) and label not in found]
    if missing:
        raise DataError(
            f"The train split has no utterance labelled {missing[0]}, which dev or test have; prepare more corpora."
        )
    return parts


def survey(settings: TextSettings, parts: dict[str, SplitData], trust_remote_code: bool = False) -> dict[str, Any]:
    """What a training would do: steps an epoch, the share of padding in its batches, and how many texts it cuts."""
    loaded = _load(settings, parts, trust_remote_code)
    if loaded is None or settings.model.kind == "zero_shot":
        return {"steps_per_epoch": 0}
    batches = new_batches(settings, parts["train"], loaded[1])
    cut = {split: int(tokenise(part.passages, loaded[1]).is_cut.sum()) for split, part in parts.items()}
    return {
        "steps_per_epoch": -(-len(batches) // settings.training.gradient_accumulation_steps),
        "padding_share": round(batches.padding_share(), 4),
        "texts_cut": cut,
    }


def new_batches(settings: TextSettings, part: SplitData, tokenizer: PreTrainedTokenizerBase) -> TextBatches:
    """The training split's batches."""
    recipe = settings.training
    return TextBatches(
        tokenise(part.passages, tokenizer).rows,
        part.targets,
        tokenizer,
        batch_size=recipe.batch_size,
        max_tokens_per_batch=recipe.max_tokens_per_batch,
        seed=recipe.seed,
        balanced=recipe.class_balancing == "sampler",
    )


def _load(
    settings: TextSettings, parts: dict[str, SplitData], trust_remote_code: bool
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase] | None:
    """The model that training begins with, its new weights seeded, and its tokenizer; None for a bag of words."""
    seed_everything(settings.training.seed)
    match settings.model.kind:
        case "tfidf":
            return None
        case "tiny":
            words = [text for passage in parts["train"].passages for text in (passage.words, *passage.before)]
            return model.tiny(settings, words)
        case "zero_shot":
            return zero_shot.classifier(settings, trust_remote_code=trust_remote_code)
        case "pretrained":
            return model.pretrained(settings, trust_remote_code=trust_remote_code)


def _fit(
    settings: TextSettings,
    parts: dict[str, SplitData],
    run: Path,
    encoder: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    accelerator: Accelerator,
    on_epoch: Callable[[Epoch], None] | None,
) -> dict[str, int]:
    """Train into the run folder; a classifier that is scored as it is goes there as it is."""
    if settings.model.kind == "zero_shot":

        def save(folder: Path) -> None:
            encoder.save_pretrained(folder)
            tokenizer.save_pretrained(folder)

        runs.write_model(run, save)
        return NOT_TRAINED
    recipe, dev = settings.training, tokenise(parts["dev"].passages, tokenizer)
    if recipe.gradient_checkpointing:
        # transformers renamed it on the way through its fifth version
        getattr(encoder, "activation_checkpointing_enable", encoder.gradient_checkpointing_enable)()
    batches = new_batches(settings, parts["train"], tokenizer)
    return train_epochs(
        run,
        encoder,
        batches,
        len(batches),
        lambda current: softmax(logits_of(current, dev, tokenizer), axis=1),
        parts["dev"].targets,
        recipe,
        accelerator,
        class_weights(parts["train"].targets, recipe.class_balancing),
        on_epoch,
        groups=layer_groups(encoder, recipe),
        save_beside=tokenizer.save_pretrained,
    )


def _predict(best: Classifier, part: SplitData, settings: TextSettings, prepared: Prepared) -> predictions.Predictions:
    probabilities = best.read(part.passages).probabilities
    return predictions.make(part.table, probabilities, model=settings.name, fingerprint=prepared.fingerprint)
