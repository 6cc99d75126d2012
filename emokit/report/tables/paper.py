"""Tables for papers as Markdown, LaTeX (booktabs) or JSON: the ranking, the classes and the comparisons."""

import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emokit.errors import UsageError
from emokit.report.comparison.compare import SHARES, Compared, points_with_interval
from emokit.report.comparison.ranking import Experiment, Standing, experiments_of, standings
from emokit.report.read_runs import gather
from emokit.report.wording import NO_VALUE, p_value, percent

FORMATS = ("md", "tex", "json")
TITLES = {"uar": "UAR", "accuracy": "Accuracy", "weighted_f1": "Weighted F1", "macro_f1": "Macro F1"}
TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    '"': "{''}",
    "\u00a0": "~",
    "−": "$-$",
    "±": r"$\pm$",
    "≈": r"$\approx$",
    "–": "--",
} | {mark: f"\\{mark}" for mark in "$&#_%"}
# Letters outside ASCII that every LaTeX font has, besides those with an accent.
TEX_LETTERS = "ßæøåœłÆØÅŒŁ"
TEX_ACCENTS = "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327"


@dataclass(frozen=True)
class Table:
    """A table of plain text; the first column is text, the others are numbers.

    Attributes:
        bold: index of the row that is set in bold, or None.
    """

    name: str
    caption: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    bold: int | None = None


def tables(folders: Sequence[Path], compared: Sequence[Compared], form: str) -> str:
    """The tables of the runs and of the comparisons.

    Args:
        folders: run folders; those that cannot be read are listed in comments.
        compared: results of `compare_runs`.
        form: `md`, `tex` or `json`.

    Raises:
        UsageError: the format is unknown, or no run was named.
        DataError: none of the runs can be read.
    """
    if form not in FORMATS:
        raise UsageError(f"--format {form} is unknown; choose one of {', '.join(FORMATS)}.")
    runs, unread = gather(folders)
    ranked = standings(experiments_of(runs))
    if form == "json":
        plain = {
            "runs": [_numbers(standing) for standing in ranked],
            "unread": {str(entry.folder): entry.sentence for entry in unread},
            **({"comparisons": [entry.as_dict() for entry in compared]} if compared else {}),
        }
        return json.dumps(plain, indent=1, ensure_ascii=False) + "\n"
    tested = [standing for standing in ranked if standing.experiment.is_tested]
    chosen = [_ranking(tested), _classes(tested)] if tested else []
    chosen += [_scores(entry, number) for number, entry in enumerate(compared, start=1)]
    chosen += [_changes(entry, number) for number, entry in enumerate(compared, start=1)]
    render, comment = (_markdown, "<!-- {} -->") if form == "md" else (_latex, "% {}")
    notes = [comment.format(" ".join(entry.sentence.split()).replace("--", "- -")) for entry in unread]
    return "\n\n".join([*map(render, chosen), *notes]) + "\n"


def _ranking(ranked: Sequence[Standing]) -> Table:
    best = ranked[0].experiment
    rows = []
    for standing in ranked:
        experiment = standing.experiment
        level = "≈ " if standing.is_level else ""
        to_best = level + points_with_interval(standing.difference) if standing.difference else NO_VALUE
        rows.append((_title(experiment), *[_cell(experiment, score) for score in SHARES], to_best))
    caption = "Test scores in %; in brackets the 95 % bootstrap interval over whole speakers or dialogues."
    if any(len(standing.experiment.runs) > 1 for standing in ranked):
        caption += " Of several seeds: mean ± standard deviation."
    if len(ranked) > 1:
        caption += f" The difference is that in UAR to {best.name} on common utterances; ≈: not significant."
    for standing in ranked:
        if declared := standing.experiment.runs[0].metrics.declared:
            caption += f" To be declared with {standing.experiment.name}: {declared}."
    baselines = next(run.test.baselines for run in best.runs if run.test)
    for name, baseline in baselines.items():
        scores = [percent(getattr(baseline, score)) for score in SHARES]
        rows.append((f"{name} baseline of {best.name}", *scores, NO_VALUE))
    return Table("ranking", caption, ("Run", *TITLES.values(), "Difference"), rows, bold=0)


def _classes(ranked: Sequence[Standing]) -> Table:
    labels = ranked[0].experiment.runs[0].metrics.labels
    rows = []
    for standing in ranked:
        tests = [run.test.per_class for run in standing.experiment.runs if run.test]
        means = [_mean([scores[label].f1 for scores in tests if scores[label].support]) for label in labels]
        rows.append((_title(standing.experiment), *map(percent, means)))
    return Table("classes", "F1 of each class on test, in %.", ("Run", *labels), rows)


def _scores(compared: Compared, number: int) -> Table:
    first, second = compared.names
    rows = []
    for score, title in TITLES.items():
        difference = compared.comparison.scores[score]
        rows.append((title, percent(difference.first), percent(difference.second), points_with_interval(difference)))
    mcnemar = compared.comparison.mcnemar
    caption = compared.verdict + (f" McNemar's test: {p_value(mcnemar.p)}." if mcnemar else "")
    for side in (compared.first, compared.second):
        if declared := side.runs[0].metrics.declared:
            caption += f" To be declared with {side.name}: {declared}."
    return Table(f"comparison-{number}", caption, ("Score, %", first, second, "Difference"), rows)


def _changes(compared: Compared, number: int) -> Table:
    first, second = compared.names
    recall, f1 = compared.comparison.recall, compared.comparison.f1
    rows = [
        (label, str(support), points_with_interval(recall[label]), points_with_interval(f1[label]))
        for label, support in compared.comparison.support.items()
    ]
    caption = f"Each class: {second} minus {first}, in points, with 95 % intervals."
    return Table(f"comparison-{number}-classes", caption, ("Class", "Support", "Recall", "F1"), rows)


def _cell(experiment: Experiment, score: str) -> str:
    """`51.2 (40.0 to 62.0)` of a run's UAR, `51.2 ± 1.3` of several seeds; other intervals make the table too wide."""
    mean = percent(experiment.mean(score))
    if len(experiment.runs) > 1:
        return f"{mean} ± {percent(experiment.deviation(score))}"
    test = experiment.runs[0].test
    interval = test.interval.get(score) if test and score == "uar" else None
    return f"{mean} ({percent(interval[0])} to {percent(interval[1])})" if interval else mean


def _title(experiment: Experiment) -> str:
    return experiment.name + (f" ({len(experiment.runs)} seeds)" if len(experiment.runs) > 1 else "")


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _numbers(standing: Standing) -> dict[str, Any]:
    experiment = standing.experiment
    numbers: dict[str, Any] = {"name": experiment.name, "folders": [str(run.folder) for run in experiment.runs]}
    if declared := experiment.runs[0].metrics.declared:
        numbers["declared"] = declared
    if experiment.is_tested:
        numbers |= {score: experiment.mean(score) for score in SHARES}
        if len(experiment.runs) > 1:
            numbers |= {
                "seeds": experiment.seeds,
                "deviation": {score: experiment.deviation(score) for score in SHARES},
            }
        else:
            test = experiment.runs[0].test
            numbers |= {"interval": {score: test.interval.get(score) for score in SHARES}} if test else {}
    if standing.difference:
        difference = standing.difference
        numbers["to_best"] = {
            "uar": difference.difference,
            "interval": difference.interval,
            "common": standing.num_common,
            "is_significant": difference.is_certain,
        }
    return numbers


def _markdown(table: Table) -> str:
    lines = [table.header, ("---", *["---:"] * (len(table.header) - 1)), *table.rows]
    return "\n".join([markdown(table.caption), "", *("| " + " | ".join(map(markdown, row)) + " |" for row in lines)])


def _latex(table: Table) -> str:
    def line(row: Sequence[str], write: Callable[[str], str] = latex) -> str:
        return " & ".join(map(write, row)) + r" \\"

    def bold(cell: str) -> str:
        return rf"\textbf{{{latex(cell)}}}"

    rows = [line(row, bold if number == table.bold else latex) for number, row in enumerate(table.rows)]
    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{latex(table.caption)}}}",
            rf"\label{{tab:{table.name}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(table.header) - 1)}}}",
            r"\toprule",
            line(table.header),
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )


def markdown(text: str) -> str:
    """Escape text for a Markdown table cell, on one line."""
    if text.strip("-:") == "" and text:
        return text
    plain = _line(text).replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{mark}" if mark in "\\`*_[]|#" else mark for mark in plain)


def latex(text: str) -> str:
    """Escape text for LaTeX; a character that LaTeX cannot print becomes its code point."""
    plain = "".join(map(_tex, unicodedata.normalize("NFC", _line(text))))
    return plain.replace("--", "-{}-") if "--" in text else plain


def _line(text: str) -> str:
    """Text on one line; non-breaking spaces are kept."""
    return re.sub(r"[ \t\n\r\f\v\x85\u2028\u2029]+", " ", text).strip(" ")


def _tex(mark: str) -> str:
    if mark in TEX:
        return TEX[mark]
    if " " <= mark <= "~" or mark in TEX_LETTERS:
        return mark
    base, *accents = list(unicodedata.normalize("NFD", mark))
    is_letter = base.isascii() and base.isalpha() and len(accents) == 1 and accents[0] in TEX_ACCENTS
    return mark if is_letter else f"[U+{ord(mark):04X}]"
