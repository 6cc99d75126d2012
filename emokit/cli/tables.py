"""Tables on the terminal: labels, ledgers, scores."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rich import box
from rich.markup import escape
from rich.table import Table

from emokit.schema.metrics import FEWEST_CLUSTERS

if TYPE_CHECKING:
    from emokit.data.catalogue import Corpus

MOST_LETTERS = 45  # of the names of all labels, as columns of a table
TOO_FEW = "too few"  # in place of an interval over too few speakers or dialogues
SCORES = {"uar": "UAR", "accuracy": "accuracy", "weighted_f1": "weighted F1", "macro_f1": "macro F1"}


def _table(*columns: str, title: str | None = None) -> Table:
    """A table without lines between columns: ten of them fit into 80 characters."""
    return Table(*columns, title=title, box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)


def labels(corpora: "Iterable[Corpus]") -> Table:
    """Every raw label of every corpus and its label."""
    table = _table("corpus", "raw label", "label")
    for corpus in corpora:
        for raw, label in corpus.labels.items():
            table.add_row(corpus.name, escape(raw), label or "[dim]left out[/dim]")
        table.add_section()
    return table


def survey(counts: dict[str, dict[str, Any]]) -> Table:
    """The result of a dry run, per corpus: utterances found, left out, and of each label."""
    label_set = list(next(iter(counts.values()))["labels"])
    if sum(map(len, label_set)) > MOST_LETTERS:
        return _long_survey(counts)
    table = _table("corpus", "found", "left out", *label_set, title="what would be prepared (audio not yet read)")
    table.padding = 0  # so that the longest name and seven labels fit into 80 characters
    for corpus, entry in counts.items():
        table.add_row(
            corpus,
            str(entry["found"]),
            str(entry["dropped"]),
            *[str(entry["labels"][label]) for label in label_set],
        )
    return table


def _long_survey(counts: dict[str, dict[str, Any]]) -> Table:
    """As `survey`, with a line per label, as the columns of many labels do not fit into 80 characters."""
    table = _table("corpus", "", "utterances", title="what would be prepared (audio not yet read)")
    for corpus, entry in counts.items():
        for name, number in {"found": entry["found"], "left out": entry["dropped"], **entry["labels"]}.items():
            table.add_row(corpus, escape(name), str(number))
        table.add_section()
    return table


def ledger(content: dict[str, Any]) -> Table:
    """Per corpus the number of utterances expected, found, kept, repaired, flagged and dropped."""
    kinds = ("repaired", "flagged", "dropped")
    table = _table("corpus", "expected", "found", "kept", *kinds, title="utterances; expected: by the corpus's papers")
    for corpus, entry in content["corpora"].items():
        counts = [sum(len(names) for names in entry[kind].values()) for kind in kinds]
        expected = "–" if entry["expected"] is None else entry["expected"]
        table.add_row(corpus, *map(str, (expected, entry["found"], entry["kept"], *counts)))
    return table


def splits(content: dict[str, Any]) -> Table:
    """Per corpus the utterances and speakers of each split."""
    table = _table("corpus", "train", "dev", "test", title="utterances (speakers)")
    for corpus, entry in content["corpora"].items():
        table.add_row(corpus, *[_size(split) for split in entry["splits"].values()])
    return table


def _size(split: dict[str, Any]) -> str:
    """`268 (6)`; utterances only where the corpus has no speakers."""
    without_speakers = split["utterances"] and not split["speakers"]
    return str(split["utterances"]) if without_speakers else f"{split['utterances']} ({len(split['speakers'])})"


def leakage(content: dict[str, Any]) -> Table:
    """What each pair of splits shares, with several corpora also per corpus; and how well sentences predict labels."""
    pairs = list(next(iter(content["leakage"].values())))
    table = _table("shared", *pairs, title="leakage: number shared by two splits")
    for kind, counts in content["leakage"].items():
        table.add_row(kind, *[str(counts[pair]) for pair in pairs])
    if len(content["corpora"]) > 1:
        for corpus, entry in content["corpora"].items():
            for kind, counts in entry["leakage"].items():
                if any(counts.values()):
                    table.add_row(f"{kind} of {corpus}", *[str(counts[pair]) for pair in pairs])
    for corpus, entry in content["corpora"].items():
        if scores := entry.get("label_by_sentence"):
            of = f" of {corpus}" if len(content["corpora"]) > 1 else ""
            cells = [_by_sentence(scores.get(pair.removeprefix("train-"))) for pair in pairs]
            table.add_row(f"label by sentence{of}, UAR %", *cells)
            table.caption = "label by sentence: the usual one in train; in brackets: one label for all"
    return table


def _by_sentence(scores: dict[str, Any] | None) -> str:
    """`98.3 (14.3)`; empty for a pair of splits without scores."""
    return f"{100 * scores['uar']:.1f} ({100 * scores['uar_of_one_label']:.1f})" if scores else ""


def remarks(content: dict[str, Any]) -> list[str]:
    """One line for every reason in the ledger, and every note."""
    lines = []
    for corpus, entry in content["corpora"].items():
        for kind in ("dropped", "repaired", "flagged", "skipped"):
            for reason, names in entry.get(kind, {}).items():
                few = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
                lines.append(f"{corpus}: {len(names)} {kind}: {reason} ({few})")
        lines += [f"{corpus}: {note}" for note in entry["notes"]]
    return lines


def scores(result: dict[str, Any]) -> Table:
    """The scores of a run on dev and test in %, with intervals, beside the baselines."""
    table = _table(
        "split",
        "",
        *[f"{title} %" for title in SCORES.values()],
        title=f"{escape(result['name'])}: {_how(result)}",
    )
    for split, split_scores in result["splits"].items():
        cells = []
        for name in SCORES:
            low, high = split_scores["interval"][name]
            interval = f"({100 * low:.0f}–{100 * high:.0f})"
            if split_scores["num_clusters"] < FEWEST_CLUSTERS:
                interval = TOO_FEW  # without brackets, so that four of them fit into 80 characters
            cells.append(f"[bold]{100 * split_scores[name]:.1f}[/bold] {interval}")
        table.add_row(split, escape(result["model"]), *cells)
        for baseline, baseline_scores in split_scores["baselines"].items():
            table.add_row("", baseline, *[f"{100 * baseline_scores[name]:.1f}" for name in SCORES], style="dim")
        table.add_section()
    splits = result["splits"].values()
    # Where no speaker is known, each utterance is a cluster.
    is_nameless = all(entry["num_clusters"] == entry["n"] > 1 for entry in splits)
    noun = "utterance" if is_nameless else next(iter(splits))["cluster"]
    table.caption = intervals_over({split: entry["num_clusters"] for split, entry in result["splits"].items()}, noun)
    if any(split_scores["cluster"] == "group" for split_scores in result["splits"].values()):
        table.caption += "; a group is a dialogue, a speaker, or an utterance without either"
    return table


def word_error_rates(rates: dict[str, dict[str, Any]]) -> Table:
    """Per corpus the word error rate with its interval, and the rate of each speaker."""
    table = _table("corpus", "speaker", "utterances", "words", "word error rate %", title="words known and transcribed")
    for corpus, entry in rates.items():
        interval = "({}–{})".format(*map(_percent, entry["interval"])) if entry["interval"] else TOO_FEW
        table.add_row(
            corpus, "", str(entry["utterances"]), str(entry["words"]), f"{_percent(entry['rate'])} {interval}"
        )
        if 1 < entry["num_clusters"] < entry["utterances"]:
            for speaker, value in entry["per_cluster"].items():
                table.add_row("", escape(speaker), "", "", _percent(value), style="dim")
        table.add_section()
    table.caption = "; ".join(
        intervals_over({corpus: entry["num_clusters"]}, entry["cluster"]) for corpus, entry in rates.items()
    )
    return table


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def intervals_over(clusters: Mapping[str, int], noun: str) -> str:
    """The caption of a table with intervals: what they are over, and which splits have too few clusters for one.

    Args:
        clusters: split -> its number of clusters.
        noun: what a cluster is: speaker, dialogue.
    """

    def counted(splits: Iterable[str]) -> str:
        return " and ".join(
            f"{clusters[split]} {noun}{'' if clusters[split] == 1 else 's'} ({split})" for split in splits
        )

    few = [split for split, number in clusters.items() if number < FEWEST_CLUSTERS]
    enough = [split for split in clusters if split not in few]
    phrases = [f"in brackets: 95 % intervals over {counted(enough)}"] if enough else []
    if few:
        phrases.append(f"{TOO_FEW}: {counted(few)}; a 95 % interval needs {FEWEST_CLUSTERS} or more")
    return "; ".join(phrases)


def epoch_line(epoch: dict[str, Any], checkpoint: str) -> str:
    """A line of `log.jsonl` for the terminal; `checkpoint` is the setting `training.checkpoint`."""
    best = "  best so far" if epoch["best"] and checkpoint == "best" else ""
    one_class = "  one label for all of dev" if epoch.get("dev_num_classes_predicted", 2) <= 1 else ""
    return (
        f"epoch {epoch['epoch']:3d}  train loss {epoch['train_loss']:.3f}  dev loss {epoch['dev_loss']:.3f}  "
        f"dev UAR {epoch['dev_uar']:.3f}  {epoch['seconds']:.1f} s{best}{one_class}"
    )


def fold_line(name: str, result: dict[str, Any]) -> str:
    """The test score of a fold in a line."""
    test = result["splits"]["test"]
    size = f"{test['n']} utterances of {test['num_clusters']} {test['cluster']}s"
    return f"fold {name}: test UAR {100 * test['uar']:.1f} % on {size}"


def _how(result: dict[str, Any]) -> str:
    if "folds" not in result:
        return (
            f"best epoch {result['best_epoch']} of {result['epochs']}" if result["epochs"] else "scores on dev and test"
        )
    uar = result["over_folds"]["uar"]
    return (
        f"{len(result['folds'])} folds ({result['policy']}) pooled; "
        f"UAR of the folds {100 * uar['mean']:.1f} ± {100 * uar['deviation']:.1f} %"
    )
