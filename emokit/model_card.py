"""The model card: the README.md of a run folder, made from its metrics.

It has the form of Hugging Face's cards: YAML between two lines of dashes, then Markdown. The caller hands in the facts of the
modality.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emokit.data.catalogue import SYNTHESISED_TITLE
from emokit.schema.metrics import FEWEST_CLUSTERS

SCORES = {"uar": "UAR, %", "accuracy": "Accuracy, %", "weighted_f1": "Weighted F1, %", "macro_f1": "Macro F1, %"}
# Score -> its metric and name in the metadata of the hub.
RESULTS = {
    "uar": ("recall", "Unweighted average recall"),
    "accuracy": ("accuracy", "Accuracy"),
    "weighted_f1": ("f1", "Weighted F1"),
    "macro_f1": ("f1", "Macro F1"),
}
NO_VALUE = "–"


@dataclass(frozen=True)
class CardFacts:
    """The facts of a modality in the model card."""

    reads: str
    """The input, such as "a recording of one spoken utterance"."""
    example: str
    """An input for `emokit predict RUN …`, quoted for a shell."""
    loading: str
    """Where the model is and how to load it: Markdown after the command."""
    pipeline_tag: str = ""
    """Hugging Face's name of the task; empty where it has none."""
    tags: tuple[str, ...] = ()
    """Further tags of the card."""


def in_python(auto_class: str, *, own: bool) -> str:
    """Markdown that shows how to load the run's model with an Auto class of transformers; `own` for a class of emokit's."""
    first_line = "    import emokit.hf  # registers emokit's models\n" if own else ""
    return (
        f" In Python:\n\n{first_line}    from transformers import {auto_class}\n\n"
        f'    model = {auto_class}.from_pretrained("RUN/model")  # labels in model.config.id2label'
    )


def model_card(
    metrics: Mapping[str, Any],
    settings: Mapping[str, Any],
    environment: Mapping[str, Any],
    ledger: Mapping[str, Any],
    facts: CardFacts,
) -> str:
    """The text of a run's README.md.

    Args:
        metrics: as in `metrics.json`.
        settings: the resolved settings.
        environment: as in `environment.json`.
        ledger: as in `ledger.json`; {} where the data have none.
        facts: of the modality.
    """
    name = metrics.get("name") or "run"
    corpora: Mapping[str, Any] = ledger.get("corpora", {})
    head = _front_matter(metrics, settings, corpora, facts)
    sections = [
        f"---\n{head}\n---",
        f"# {_plain(name)}",
        _intended_use(metrics, facts),
        f"## How to load it\n\n    emokit predict RUN {facts.example}\n\n{facts.loading}",
        "## Training data\n\n" + _training_data(corpora),
        *(["## What fusion adds\n\n" + _plain(metrics["verdict"])] if "verdict" in metrics else []),
        "## Scores\n\n" + "\n\n".join(_scores(split, scores) for split, scores in metrics["splits"].items()),
        *([f"To be declared with these scores: {metrics['declared']}."] if "declared" in metrics else []),
        "## Weaknesses\n\n" + _weaknesses(metrics),
        "## How it was made\n\n" + _making(metrics, settings, environment),
    ]
    return "\n\n".join(sections) + "\n"


def _front_matter(
    metrics: Mapping[str, Any], settings: Mapping[str, Any], corpora: Mapping[str, Any], facts: CardFacts
) -> str:
    """The metadata in the schema of Hugging Face's hub, as YAML."""
    from huggingface_hub import EvalResult, ModelCardData

    titles = {name: str(corpus.get("title", "")) for name, corpus in corpora.items()}
    names = [f"{name}{SYNTHESISED_TITLE * titles[name].endswith(SYNTHESISED_TITLE)}" for name in corpora]
    test = metrics["splits"].get("test", {})
    data = ModelCardData(
        license="other",
        license_name="see-training-data",
        library_name="transformers",
        base_model=_base_model(settings),
        pipeline_tag=facts.pipeline_tag or None,
        tags=["emokit", "emotion-recognition", *facts.tags, *corpora],
        metrics=["recall", "accuracy", "f1"],
        model_name=(metrics.get("name") or "run") if test else None,
        eval_results=[
            EvalResult(
                task_type=facts.pipeline_tag or "other",
                task_name="Emotion recognition",
                dataset_type="-".join(corpora) or "unknown",
                dataset_name=", ".join(names) or "unknown",
                dataset_split="test",
                metric_type=kind,
                metric_name=title,
                metric_value=test[key],
            )
            for key, (kind, title) in RESULTS.items()
            if key in test
        ]
        or None,
    )
    return data.to_yaml()


def _base_model(settings: Mapping[str, Any]) -> str | None:
    """The model on the hub that the run began with; None where it began with none, or with one in a folder."""
    model = settings.get("model")
    if not isinstance(model, Mapping) or model.get("kind", "pretrained") not in ("pretrained", "zero_shot"):
        return None  # the name is a setting that such a model does not use
    name = model.get("name")
    is_on_the_hub = isinstance(name, str) and re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name) and not Path(name).exists()
    return name if is_on_the_hub else None


def _intended_use(metrics: Mapping[str, Any], facts: CardFacts) -> str:
    labels = metrics["labels"]
    return (
        "## Intended use\n\n"
        f"Given {facts.reads}, the model returns a probability for each of {len(labels)} emotions: "
        f"{', '.join(map(_plain, labels))}. It is intended for research on data similar to its training data. "
        "It predicts the label that annotators would give, not what a person feels; "
        "it is not suitable for decisions about people."
    )


def _training_data(corpora: Mapping[str, Any]) -> str:
    rows = []
    for name, corpus in corpora.items():
        splits = corpus.get("splits", {})
        train = splits.get("train", {})
        rows.append(
            [
                f"{name}: {corpus['title']}" if corpus.get("title") else name,
                corpus.get("licence") or "unknown",
                corpus.get("kept", NO_VALUE),
                train.get("utterances", 0),
                # Some corpora do not identify their speakers.
                len(train.get("speakers", [])) or (NO_VALUE if train.get("utterances") else 0),
            ]
        )
    if not rows:
        return "The run folder does not record the training corpora."
    table = _table(["Corpus", "Licence", "Utterances", "In train", "Speakers in train"], rows)
    nameless = [name for name, corpus in corpora.items() if _is_nameless(corpus.get("splits", {}))]
    note = "".join(
        f" {_plain(name)} does not say who speaks, so speakers of dev and test may be in train too, and scores too high for "
        "new speakers."
        for name in nameless
    )
    return f"{table}\n\nThe licences of the corpora also apply to the use of the model.{note}"


def _is_nameless(splits: Mapping[str, Any]) -> bool:
    """Whether a corpus has utterances in train and names no speakers."""
    train = splits.get("train", {})
    return bool(train.get("utterances")) and not train.get("speakers")


def _scores(split: str, scores: Mapping[str, Any]) -> str:
    baselines: Mapping[str, Any] = scores.get("baselines", {})
    rows = []
    number, noun = scores.get("num_clusters"), scores.get("cluster", "speaker")
    too_few = number is not None and number < FEWEST_CLUSTERS
    for key, title in SCORES.items():
        bounds = scores.get("interval", {}).get(key)
        interval = f"{_percent(bounds[0])} to {_percent(bounds[1])}" if bounds else NO_VALUE
        interval = f"too few {noun}s" if bounds and too_few else interval
        percents = [_percent(baseline[key]) for baseline in baselines.values()]
        rows.append([title, _percent(scores[key]), interval, *percents])
    data = f"**{split.capitalize()}**, {scores['n']} utterances"
    if number is not None:
        if number == scores["n"] > 1:  # the writers of most comments are unknown, so each comment is a cluster
            data += ", bootstrap over utterances"
        else:
            data += f" of {number} {noun}{'' if number == 1 else 's'}, bootstrap over {noun}s"
    return f"{data}:\n\n" + _table(["Score", "Model", "95 % interval", *map(str.capitalize, baselines)], rows)


def _weaknesses(metrics: Mapping[str, Any]) -> str:
    """Scores per class, corpus and gender on test (else on the last split), the lowest first."""
    splits, labels = metrics["splits"], list(metrics["labels"])
    split = "test" if "test" in splits else list(splits)[-1]
    scores = splits[split]
    rows = []
    for target, label in enumerate(labels):
        counts = scores["confusion"][target]
        support = sum(counts)
        if support:
            wrong = max((other for other in range(len(labels)) if other != target), key=lambda other: counts[other])
            confused = f"{labels[wrong]} ({counts[wrong]})" if counts[wrong] else NO_VALUE
            rows.append((counts[target] / support, [label, f"{counts[target]} of {support}", confused]))
    absent = [label for label, counts in zip(labels, scores["confusion"], strict=True) if not sum(counts)]
    table = _table(
        ["Emotion", "Recalled", "Recall, %", "Most often confused with"],
        [[row[0], row[1], _percent(recall), row[2]] for recall, row in sorted(rows, key=lambda pair: pair[0])],
    )
    note = f"\n\nNot measured, as {split} has none: {', '.join(map(_plain, absent))}." if absent else ""
    tables = [f"By emotion on {split}, lowest recall first:\n\n{table}{note}"]
    for title, head, key in (("corpus", "Corpus", "per_corpus"), ("known gender", "Speakers", "per_gender")):
        if groups := scores.get(key):
            lines = [
                [name, _percent(group["uar"]), _percent(group["accuracy"]), group["n"]]
                for name, group in sorted(groups.items(), key=lambda pair: pair[1]["uar"])
            ]
            tables.append(
                f"By {title} on {split}, lowest UAR first:\n\n"
                + _table([head, "UAR, %", "Accuracy, %", "Utterances"], lines)
            )
    return "\n\n".join(tables)


def _making(metrics: Mapping[str, Any], settings: Mapping[str, Any], environment: Mapping[str, Any]) -> str:
    values = {
        "Model": metrics.get("model"),
        "Parameters": metrics.get("parameters"),
        "Best epoch": metrics.get("best_epoch"),
        "Seed": environment.get("seed"),
        "Device": environment.get("device"),
        "Data fingerprint": environment.get("data_fingerprint"),
        "emokit": environment.get("emokit"),
        "Settings": ", ".join(settings) and f"{', '.join(settings)}: all values are in settings.yaml",
    }
    return _table(["Item", "Value"], [[key, value] for key, value in values.items() if value not in (None, "")])


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_plain(cell) for cell in line) + " |" for line in lines)


def _plain(value: Any) -> str:
    """Escape text from data for Markdown: one line, without tags, links or table columns."""
    text = " ".join(str(value).split()).replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{character}" if character in "\\`*[]|" else character for character in text)


def _percent(ratio: float) -> str:
    return f"{100 * ratio:.1f}"
