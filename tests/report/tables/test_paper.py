"""Tables for papers: their numbers, the escaping of text, and that LaTeX compiles them."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emokit.errors import DataError, UsageError
from emokit.report.comparison.compare import compare_runs
from emokit.report.tables.paper import latex, markdown, tables

MakeRun = Callable[..., Path]
ODD = 'a_b & 50 % {x} $y$ #1 \\z ~^ <i> "q" `r` |-- straße Łódź 怒り é'


def test_markdown_has_scores_with_interval_baselines_and_difference(make_tested: MakeRun) -> None:
    best, worse = make_tested("best", seed=1, skill=0.9), make_tested("worse", seed=2, skill=0.2)
    test = json.loads((best / "metrics.json").read_text())["splits"]["test"]
    low, high = (f"{100 * bound:.1f}" for bound in test["interval"]["uar"])
    shown = tables([worse, best], [], "md")
    others = " | ".join(f"{100 * test[score]:.1f}" for score in ("accuracy", "weighted_f1", "macro_f1"))
    assert (
        "| Run | UAR | Accuracy | Weighted F1 | Macro F1 | Difference |\n| --- | ---: | ---: | ---: | ---: | ---: |\n"
        in shown
    )
    assert f"| best | {100 * test['uar']:.1f} ({low} to {high}) | {others} | – |\n| worse |" in shown
    assert f"| simple baseline of best | {100 * test['baselines']['simple']['uar']:.1f} |" in shown
    f1 = " | ".join(f"{100 * scores['f1']:.1f}" for scores in test["per_class"].values())
    assert f"| best | {f1} |" in shown


def test_seeds_are_one_row_with_mean_and_deviation(make_tested: MakeRun) -> None:
    seeds = [make_tested(f"seed{number}", seed=number, training_seed=number) for number in (1, 2)]
    uars = [json.loads((seed / "metrics.json").read_text())["splits"]["test"]["uar"] for seed in seeds]
    mean, deviation = sum(uars) / 2, abs(uars[0] - uars[1]) / 2**0.5
    assert f"(2 seeds) | {100 * mean:.1f} ± {100 * deviation:.1f} |" in tables(seeds, [], "md")
    numbers = json.loads(tables(seeds, [], "json"))["runs"][0]
    assert numbers["uar"] == pytest.approx(mean)
    assert numbers["deviation"]["uar"] == pytest.approx(deviation)
    assert sorted(numbers["folders"]) == [str(seed) for seed in seeds]


def test_json_has_the_exact_numbers_the_comparison_and_the_unread_folders(
    make_tested: MakeRun, refusal: Callable[[Path], str], tmp_path: Path
) -> None:
    runs = [make_tested("a", seed=1, skill=0.9), make_tested("b", seed=2, skill=0.2)]
    compared = compare_runs(runs)
    content = json.loads(tables([*runs, tmp_path / "nowhere"], compared, "json"))
    test = json.loads((runs[0] / "metrics.json").read_text())["splits"]["test"]
    assert content["runs"][0]["uar"] == test["uar"]
    assert content["runs"][0]["interval"]["macro_f1"] == test["interval"]["macro_f1"]
    assert content["runs"][1]["to_best"]["is_significant"] is True
    assert content["comparisons"][0]["verdict"] == compared[0].verdict
    assert list(content["unread"].values()) == [refusal(tmp_path / "nowhere")]


def test_declarations_are_in_the_captions(make_tested: MakeRun, edit: Callable[..., None]) -> None:
    runs = [make_tested("best", seed=1, skill=0.9), make_tested("own", seed=2, skill=0.2)]

    def change(metrics: dict[str, Any]) -> None:
        metrics["splits"]["test"]["per_class"]["fear"] |= {"f1": 0.0, "support": 0}
        metrics["declared"] = "test audio was used"

    edit(runs[1] / "metrics.json", change)
    shown = tables(runs, compare_runs(runs), "md")
    assert shown.count("To be declared with own: test audio was used.") == 2
    assert re.search(r"\| own \| [\d.]+ \| [\d.]+ \| – \| ", shown)
    assert [run.get("declared") for run in json.loads(tables(runs, [], "json"))["runs"]] == [
        None,
        "test audio was used",
    ]


def test_text_is_escaped_for_latex() -> None:
    assert latex(ODD) == (
        r"a\_b \& 50 \% \{x\} \$y\$ \#1 \textbackslash{}z \textasciitilde{}\textasciicircum{} \textless{}i\textgreater{} "
        r"{''}q{''} \textasciigrave{}r\textasciigrave{} \textbar{}-{}- straße Łódź [U+6012][U+308A] é"
    )
    assert latex("−3.1 ± 2 ≈\u00a0%\n\\end{table}") == r"$-$3.1 $\pm$ 2 $\approx$~\% \textbackslash{}end\{table\}"


def test_text_is_escaped_for_markdown() -> None:
    assert markdown("a|b *c* [x](y) <i>\n# d_e") == "a\\|b \\*c\\* \\[x\\](y) &lt;i> \\# d\\_e"
    assert (markdown("---:"), markdown("–"), markdown("R&amp;D")) == ("---:", "–", "R&amp;amp;D")


@pytest.fixture
def paper(make_tested: MakeRun, tmp_path: Path) -> str:
    runs = [make_tested(ODD, seed=1, skill=0.9), make_tested("b", seed=2, skill=0.2)]
    return tables([*runs, tmp_path / "no\nwhere"], compare_runs(runs), "tex")


def test_every_latex_table_is_complete(paper: str) -> None:
    bodies = re.findall(r"\\begin\{tabular\}\{(lr*)\}\n(.*?)\\end\{tabular\}", paper, flags=re.S)
    assert len(bodies) == paper.count(r"\begin{table}") == paper.count(r"\end{table}") == 4
    for columns, body in bodies:
        first, *rows, last = body.strip().split("\n")
        assert (first, last) == (r"\toprule", r"\bottomrule")
        assert rows[1] == r"\midrule"
        for row in [row for row in rows if row != r"\midrule"]:
            assert row.endswith(r" \\")
            assert len(re.findall(r"(?<!\\)&", row)) == len(columns) - 1
    outside = re.sub(r"\\[a-zA-Z]+|\\[$&#_%{}\\]", "", paper)
    assert outside.count("{") == outside.count("}")
    assert not re.search(
        r"(?<!\\)[#_~^](?!\s)", re.sub(r"\\label\{[^}]*\}|^%.*$", "", paper.replace("~", ""), flags=re.M)
    )
    assert next(line for line in paper.splitlines() if "where does not exist" in line).startswith("% ")


def test_latex_compiles(paper: str, tmp_path: Path) -> None:
    program = shutil.which("pdflatex")
    if program is None:
        pytest.skip("there is no pdflatex")
    text = f"\\documentclass{{article}}\\usepackage{{booktabs}}\\begin{{document}}\n{paper}\\end{{document}}\n"
    (tmp_path / "paper.tex").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [program, "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "paper.pdf").stat().st_size > 1000


def test_an_unknown_format_is_refused(make_tested: MakeRun) -> None:
    with pytest.raises(UsageError) as refused:
        tables([make_tested("a")], [], "docx")
    assert str(refused.value) == "--format docx is unknown; choose one of md, tex, json."
    with pytest.raises(DataError):
        tables([Path("nowhere")], [], "md")
