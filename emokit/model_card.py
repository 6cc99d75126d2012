"""The model card: the README.md of a run folder, made from the same numbers as everything else.

It has the form of Hugging Face's cards: YAML between two lines of dashes, then Markdown. What depends on the modality is handed in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from emokit.data.catalogue import SYNTHESISED_TITLE

SCORES = {"uar": "UAR, %", "accuracy": "Accuracy, %", "weighted_f1": "Weighted F1, %", "macro_f1": "Macro F1, %"}
NO_VALUE = "–"


@dataclass(frozen=True)
class CardFacts:
    """What a modality says of itself in the model card."""

    reads: str
    """The input, such as "a recording of one spoken utterance"."""
    example: str
    """An input for `emokit predict RUN …`, as a shell takes it."""
    loading: str
    """Where the model is and how it is loaded: Markdown after the command."""
    pipeline_tag: str = ""
    """Hugging Face's name of the task; empty where it has none."""
    tags: tuple[str, ...] = ()
    """Further tags of the card."""


def in_python(auto_class: str, first_line: str = "") -> str:
    """Markdown that shows how to load the run's model with an Auto class of transformers."""
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
    head = yaml.safe_dump(_front_matter(metrics, corpora, facts), sort_keys=False, allow_unicode=True, width=1000)
    parts = [
        f"---\n{head}---",
        f"# {_plain(name)}",
        _intended_use(metrics, facts),
        f"## How to load it\n\n    emokit predict RUN {facts.example}\n\n{facts.loading}",
        "## Training data\n\n" + _training_data(corpora),
        *(["## What fusion adds\n\n" + _plain(metrics["verdict"])] if "verdict" in metrics else []),
        "## Scores\n\n" + "\n\n".join(_scores(split, own) for split, own in metrics["splits"].items()),
        *([f"To be declared with them: {metrics['declared']}."] if "declared" in metrics else []),
        "## Weaknesses\n\n" + _weaknesses(metrics),
        "## How it was made\n\n" + _making(metrics, settings, environment),
    ]
    return "\n\n".join(parts) + "\n"


def _front_matter(metrics: Mapping[str, Any], corpora: Mapping[str, Any], facts: CardFacts) -> dict[str, Any]:
    head: dict[str, Any] = {"license": "other", "license_name": "see-training-data", "library_name": "transformers"}
    if facts.pipeline_tag:
        head["pipeline_tag"] = facts.pipeline_tag
    head["tags"] = ["emokit", "emotion-recognition", *facts.tags, *corpora]
    titles = {name: str(corpus.get("title", "")) for name, corpus in corpora.items()}
    names = [f"{name}{SYNTHESISED_TITLE * titles[name].endswith(SYNTHESISED_TITLE)}" for name in corpora]
    head["metrics"] = ["recall", "accuracy", "f1"]
    results = [
        {
            "task": {"type": facts.pipeline_tag or "other", "name": "Emotion recognition"},
            "dataset": {
                "type": "-".join(corpora) or "unknown",
                "name": ", ".join(names) or "unknown",
                "split": split,
            },
            "metrics": [
                {"type": "recall", "name": "Unweighted average recall", "value": own["uar"]},
                {"type": "accuracy", "name": "Accuracy", "value": own["accuracy"]},
                {"type": "f1", "name": "Weighted F1", "value": own["weighted_f1"]},
            ],
        }
        for split, own in metrics["splits"].items()
        if split == "test"
    ]
    if results:
        head["model-index"] = [{"name": metrics.get("name") or "run", "results": results}]
    return head


def _intended_use(metrics: Mapping[str, Any], facts: CardFacts) -> str:
    labels = metrics["labels"]
    return (
        "## Intended use\n\n"
        f"Given {facts.reads}, the model returns a probability for each of {len(labels)} emotions: "
        f"{', '.join(map(_plain, labels))}. It is meant for research on data like its training data. "
        "It predicts how annotators label an utterance, not what a person feels; "
        "it is not fit for decisions about people."
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
                # A corpus that does not say who speaks has utterances without speakers.
                len(train.get("speakers", [])) or (NO_VALUE if train.get("utterances") else 0),
            ]
        )
    if not rows:
        return "The run folder does not say which corpora it was trained on."
    table = _table(["Corpus", "Licence", "Utterances kept", "In train", "Speakers in train"], rows)
    return f"{table}\n\nThe licences of the corpora bind whoever uses the model."


def _scores(split: str, own: Mapping[str, Any]) -> str:
    baselines: Mapping[str, Any] = own.get("baselines", {})
    rows = []
    for key, title in SCORES.items():
        interval = own.get("interval", {}).get(key)
        sure = f"{_percent(interval[0])} to {_percent(interval[1])}" if interval else "–"
        rows.append([title, _percent(own[key]), sure, *(_percent(baseline[key]) for baseline in baselines.values())])
    where = f"**{split.capitalize()}**, {own['n']} utterances"
    if own.get("num_clusters") is not None:
        number, noun = own["num_clusters"], own.get("cluster", "speaker")
        if number == own["n"] > 1:  # nobody knows who wrote most comments, so these are no speakers
            where += ", over which the intervals are drawn one by one"
        else:
            where += f" of {number} {noun}{'' if number == 1 else 's'}, over which the intervals are drawn"
    return f"{where}:\n\n" + _table(["Score", "Model", "95 % interval", *map(str.capitalize, baselines)], rows)


def _weaknesses(metrics: Mapping[str, Any]) -> str:
    """By class, corpus and sex on test (else on the last split there is), the weakest first."""
    splits, labels = metrics["splits"], list(metrics["labels"])
    split = "test" if "test" in splits else list(splits)[-1]
    own = splits[split]
    rows = []
    for target, label in enumerate(labels):
        counts = own["confusion"][target]
        support = sum(counts)
        if support:
            wrong = max((other for other in range(len(labels)) if other != target), key=lambda other: counts[other])
            mistaken = f"{labels[wrong]} ({counts[wrong]})" if counts[wrong] else "–"
            rows.append((counts[target] / support, [label, f"{counts[target]} of {support}", mistaken]))
    absent = [label for label, counts in zip(labels, own["confusion"], strict=True) if not sum(counts)]
    table = _table(
        ["Emotion", "Found", "Recall, %", "Most often taken for"],
        [[row[0], row[1], _percent(recall), row[2]] for recall, row in sorted(rows, key=lambda pair: pair[0])],
    )
    note = f"\n\nNever seen on {split}, so nothing is known of: {', '.join(map(_plain, absent))}." if absent else ""
    parts = [f"By emotion on {split}, the weakest first:\n\n{table}{note}"]
    for title, key in (("corpus", "per_corpus"), ("speakers' sex, where their corpus says it,", "per_gender")):
        if groups := own.get(key):
            lines = [
                [name, _percent(group["uar"]), _percent(group["accuracy"]), group["n"]]
                for name, group in sorted(groups.items(), key=lambda pair: pair[1]["uar"])
            ]
            head = "Corpus" if key == "per_corpus" else "Speakers"
            parts.append(
                f"By {title} on {split}, the weakest first:\n\n"
                + _table([head, "UAR, %", "Accuracy, %", "Utterances"], lines)
            )
    return "\n\n".join(parts)


def _making(metrics: Mapping[str, Any], settings: Mapping[str, Any], environment: Mapping[str, Any]) -> str:
    facts = {
        "Model": metrics.get("model"),
        "Parameters": metrics.get("parameters"),
        "Best epoch": metrics.get("best_epoch"),
        "Seed": environment.get("seed"),
        "Device": environment.get("device"),
        "Data fingerprint": environment.get("data_fingerprint"),
        "emokit": environment.get("emokit"),
        "Settings": ", ".join(settings) and f"{', '.join(settings)}: every value is in settings.yaml",
    }
    return _table(["What", "Value"], [[key, value] for key, value in facts.items() if value not in (None, "")])


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_plain(cell) for cell in line) + " |" for line in lines)


def _plain(value: Any) -> str:
    """Text from data as Markdown that shows it as it is: on one line, without tags, links or columns of its own."""
    text = " ".join(str(value).split()).replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{character}" if character in "\\`*[]|" else character for character in text)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
