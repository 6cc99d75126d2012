"""What commands show on a terminal, as tables: labels, ledgers, scores."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich import box
from rich.markup import escape
from rich.table import Table

from emokit.labels import LABELS

if TYPE_CHECKING:
    from emokit.data.catalogue import Corpus

SCORES = {"uar": "UAR", "accuracy": "accuracy", "weighted_f1": "weighted F1", "macro_f1": "macro F1"}


def _table(*columns: str, title: str | None = None) -> Table:
    """A table without lines between its columns, so that ten of them fit into 80 characters."""
    return Table(*columns, title=title, box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)


def labels(corpora: "Iterable[Corpus]") -> Table:
    """Every raw label of every corpus and what becomes of it."""
    table = _table("corpus", "raw label", "becomes")
    for corpus in corpora:
        for raw, label in corpus.labels.items():
            table.add_row(corpus.name, escape(raw), label or "[dim]left out[/dim]")
        table.add_section()
    return table


def survey(counts: dict[str, dict[str, Any]]) -> Table:
    """What a dry run found, per corpus: found, left out, and how many of each label."""
    table = _table("corpus", "found", "left out", *LABELS, title="what would be prepared (sound not yet opened)")
    table.padding = 0  # so that the longest name and the seven labels fit into 80 characters
    for corpus, found in counts.items():
        table.add_row(
            corpus,
            str(found["found"]),
            str(found["dropped"]),
            *[str(found["labels"].get(label, 0)) for label in LABELS],
        )
    return table


def ledger(of: dict[str, Any]) -> Table:
    """Per corpus how much was expected, found and kept, and what was odd."""
    kinds = ("repaired", "flagged", "dropped")
    table = _table("corpus", "expected", "found", "kept", *kinds)
    for corpus, entry in of["corpora"].items():
        counts = [sum(len(names) for names in entry[kind].values()) for kind in kinds]
        table.add_row(corpus, *map(str, (entry["expected"], entry["found"], entry["kept"], *counts)))
    return table


def splits(of: dict[str, Any]) -> Table:
    """Per corpus how many utterances of how many speakers each split has."""
    table = _table("corpus", "train", "dev", "test", title="utterances (speakers)")
    for corpus, entry in of["corpora"].items():
        table.add_row(corpus, *[_size(part) for part in entry["splits"].values()])
    return table


def _size(part: dict[str, Any]) -> str:
    """`268 (6)`; utterances alone where the corpus does not say who speaks."""
    nameless = part["utterances"] and not part["speakers"]
    return str(part["utterances"]) if nameless else f"{part['utterances']} ({len(part['speakers'])})"


def leakage(of: dict[str, Any]) -> Table:
    """What each pair of splits shares; of several corpora, also which of them share it."""
    pairs = list(next(iter(of["leakage"].values())))
    table = _table("shared by", *pairs, title="leakage")
    for kind, counts in of["leakage"].items():
        table.add_row(kind, *[str(counts[pair]) for pair in pairs])
    if len(of["corpora"]) > 1:
        for corpus, entry in of["corpora"].items():
            for kind, counts in entry["leakage"].items():
                if any(counts.values()):
                    table.add_row(f"{kind} of {corpus}", *[str(counts[pair]) for pair in pairs])
    return table


def remarks(of: dict[str, Any]) -> list[str]:
    """One line for every reason in the ledger, and every note."""
    lines = []
    for corpus, entry in of["corpora"].items():
        for kind in ("dropped", "repaired", "flagged"):
            for reason, names in entry[kind].items():
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
    for split, scored in result["splits"].items():
        cells = []
        for name in SCORES:
            low, high = scored["interval"][name]
            cells.append(f"[bold]{100 * scored[name]:.1f}[/bold] ({100 * low:.0f}–{100 * high:.0f})")
        table.add_row(split, result["model"], *cells)
        for baseline in ("majority", "simple"):
            values = [f"{100 * scored['baselines'][baseline][name]:.1f}" for name in SCORES]
            table.add_row("", baseline, *values, style="dim")
        table.add_section()
    over = ", ".join(
        f"{scored['num_clusters']} {scored['cluster']}s ({split})" for split, scored in result["splits"].items()
    )
    table.caption = f"in brackets: 95 % interval over {over}"
    return table


def epoch_line(epoch: dict[str, Any], keep: str) -> str:
    """A line of `log.jsonl`, for showing it; `keep` is the setting."""
    best = "  best so far" if epoch["best"] and keep == "best" else ""
    one_class = "  one label for all of dev" if epoch.get("dev_num_classes_predicted", 2) <= 1 else ""
    return (
        f"epoch {epoch['epoch']:3d}  train loss {epoch['train_loss']:.3f}  dev loss {epoch['dev_loss']:.3f}  "
        f"dev UAR {epoch['dev_uar']:.3f}  {epoch['seconds']:.1f} s{best}{one_class}"
    )


def fold_line(name: str, result: dict[str, Any]) -> str:
    """A fold's test score in a line."""
    test = result["splits"]["test"]
    of = f"{test['n']} utterances of {test['num_clusters']} {test['cluster']}s"
    return f"fold {name}: test UAR {100 * test['uar']:.1f} % on {of}"


def _how(result: dict[str, Any]) -> str:
    if "folds" not in result:
        return f"best epoch {result['best_epoch']} of {result['epochs']}" if result["epochs"] else "test scored once"
    over = result["over_folds"]["uar"]
    return (
        f"{len(result['folds'])} folds ({result['policy']}) pooled; "
        f"UAR of the folds {100 * over['mean']:.1f} ± {100 * over['deviation']:.1f} %"
    )
