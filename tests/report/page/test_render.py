"""The page: its numbers are those of the files, it fetches nothing, markup is escaped, text is legible."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from emokit.predictions import Predictions
from emokit.report.comparison.compare import Compared, compare_runs
from emokit.report.comparison.ranking import experiments_of, standings
from emokit.report.page import build as building
from emokit.report.page.build import build
from emokit.report.page.mistakes import details
from emokit.report.page.render import render
from emokit.report.read_runs import gather

CSS = Path(__file__).parents[3] / "emokit" / "report" / "page" / "page.css"


class Page(HTMLParser):
    """The elements of a page, its text, and its `<data>` by key."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.numbers: dict[str, tuple[str, str]] = {}
        self.text = ""
        self._key: str | None = None
        self.source = page.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        self.elements.append((tag, values))
        if tag == "data":
            self._key = values["data-key"]
            self.numbers[self._key] = (values["value"], "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "data":
            self._key = None

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._key:
            value, text = self.numbers[self._key]
            self.numbers[self._key] = (value, text + data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def render_page(folders: list[Path], out: Path, compared: list[Compared] | None = None) -> Path:
    """Write the page without figures, which take most of the time."""
    runs, unread = gather(folders)
    no_pictures: dict[str, list[Any]] = {run.slug: [] for run in runs} | {"compare/1": []}
    out.mkdir()
    ranked = standings(experiments_of(runs))
    (out / "index.html").write_text(render(ranked, unread, no_pictures, details(runs, runs, out), compared or []))
    return out / "index.html"


def leaves(value: Any, key: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return {path: leaf for name, inner in value.items() for path, leaf in leaves(inner, f"{key}/{name}").items()}
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], float):
        return {f"{key}/low": value[0], f"{key}/high": value[1]}
    return {key: value}


def test_every_number_on_the_page_is_the_one_in_metrics_json(
    make_run: Callable[..., Path], make_tested: Callable[..., Path], tmp_path: Path
) -> None:
    folders = [make_tested("one"), make_run("two", seed=2, skill=0.3)]
    metrics = json.loads((folders[0] / "metrics.json").read_text())
    test = metrics["splits"]["test"]
    scores = {name: test[name] for name in ("n", "accuracy", "uar", "weighted_f1", "macro_f1")}
    test["per_gender"] = {"female": scores, "male": scores | {"n": 7, "uar": 0.123}}
    (folders[0] / "metrics.json").write_text(json.dumps(metrics))
    page = Page(render_page(folders, tmp_path / "report"))
    for folder in folders:
        expected: dict[str, Any] = {}
        for name, split in json.loads((folder / "metrics.json").read_text())["splits"].items():
            expected |= leaves(split, f"{folder.name}/{name}")
            if name == "test":
                expected |= leaves(split, f"{folder.name}/rank")
        shown = {key: pair for key, pair in page.numbers.items() if key.startswith(f"{folder.name}/")}
        for key, (value, text) in shown.items():
            assert float(value) == expected[key], key
            rounded = f"{expected[key]:,}" if isinstance(expected[key], int) else f"{100 * expected[key]:.1f}"
            assert text == (f"{expected[key]:.3f}" if "/nll" in key else rounded), key
        skipped = ("confusion", "num_clusters", "cluster", "description", "dev/baselines", "rank/", "dev/n", "test/n")
        skipped += ("majority/interval", "simple/interval")
        missing = {key for key in expected.keys() - shown.keys() if not any(part in key for part in skipped)}
        assert not missing


def test_the_ledger_on_the_page_is_the_one_of_the_run(make_run: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_run()
    page = Page(render_page([folder], tmp_path / "report"))
    ledger = json.loads((folder / "ledger.json").read_text())
    for name, corpus in ledger["corpora"].items():
        key = f"data/1/{name}"
        for column in ("expected", "found", "kept"):
            assert page.numbers[f"{key}/{column}"][0] == str(corpus[column])
        for action in ("dropped", "repaired", "flagged"):
            assert page.numbers[f"{key}/{action}"][0] == str(sum(map(len, corpus[action].values())))
            for reason, ids in corpus[action].items():
                assert page.numbers[f"{key}/{action}/{reason}"][0] == str(len(ids))
                assert reason in page.text
        for split, content in corpus["splits"].items():
            assert page.numbers[f"{key}/splits/{split}/utterances"][0] == str(content["utterances"])
            assert page.numbers[f"{key}/splits/{split}/speakers"][0] == str(len(content["speakers"]))
        for split, scores in corpus["label_by_sentence"].items():
            for column, number in scores.items():
                assert float(page.numbers[f"{key}/label_by_sentence/{split}/{column}"][0]) == number
    assert any(corpus["label_by_sentence"] for corpus in ledger["corpora"].values())
    for content, shared in ledger["leakage"].items():
        for pair, number in shared.items():
            assert page.numbers[f"data/1/leakage/{content}/{pair}"][0] == str(number)


def test_markup_in_names_labels_paths_and_reasons_is_escaped(make_run: Callable[..., Path], tmp_path: Path) -> None:
    evil = "<script>alert('x')<"
    folder = make_run(f"in {evil}/{evil}")
    for name in ("metrics.json", "environment.json"):
        text = (folder / name).read_text()
        for word in ("angry", "acrnn", "cpu", "logistic", "Linux", "transformers"):
            text = text.replace(word, evil)
        (folder / name).write_text(text)
    ledger = (folder / "ledger.json").read_text()
    for word in ("boredom", "stereo", "Berlin", "Surprise does", "emodb", "free for", "texts", "angry"):
        ledger = ledger.replace(word, evil)
    (folder / "ledger.json").write_text(ledger)
    (folder / "settings.yaml").write_text(f'"{evil}": "{evil}"\n')
    broken = tmp_path / f"{evil}img src=x onerror=alert(1)>"
    broken.mkdir()
    page = Page(build([folder, broken], tmp_path / "report"))
    assert page.text.count(evil) > 20
    assert not page.all("script")
    assert not [attributes for _, attributes in page.elements if any(name.startswith("on") for name in attributes)]
    assert len(page.all("img")) == 4


def test_the_page_fetches_nothing(built: Path) -> None:
    page = Page(built)
    fetched = [attributes[name] for _, attributes in page.elements for name in ("src", "srcset") if name in attributes]
    assert len(fetched) == 16
    assert all(address.startswith("data:image/svg+xml;base64,") for address in fetched)
    for address in fetched:
        svg = base64.b64decode(address.partition(",")[2]).decode()
        assert not re.search(r"(href|src)=\"(?!#)", svg)
        assert "@import" not in svg
    assert [link["href"] for link in page.all("link")] == ["data:,"]
    assert not re.search(r"@import|url\(", page.source)
    assert not re.search(r"https?://", page.source)
    policy = next(meta for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy["content"].startswith("default-src 'none'")


def test_every_link_has_a_target(built: Path) -> None:
    page = Page(built)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for link in page.all("a"):
        target = link["href"]
        assert target[1:] in ids if target.startswith("#") else (built.parent / target).exists()


def test_figures_have_descriptions_and_tables_have_captions_and_scope(built: Path) -> None:
    page = Page(built)
    assert all(len(image["alt"]) > 30 for image in page.all("img"))
    assert all(image["aria-label"] for image in page.all("svg"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all("scope" in header for header in page.all("th"))


def test_a_run_without_log_ledger_or_test_split_has_a_section(make_run: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_run("bare")
    for name in ("log.jsonl", "ledger.json"):
        (folder / name).unlink()
    metrics = json.loads((folder / "metrics.json").read_text())
    del metrics["splits"]["test"], metrics["best_epoch"]
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "environment.json").write_text("{}")
    page = Page(render_page([folder], tmp_path / "report"))
    assert "This run has no scores on a test split." in page.text
    assert "The run folder has no ledger.json" in page.text


def test_a_broken_folder_gets_a_row_with_the_reason(make_run: Callable[..., Path], tmp_path: Path) -> None:
    broken = make_run("broken")
    (broken / "metrics.json").unlink()
    page = Page(render_page([make_run("good"), broken], tmp_path / "report"))
    sentence = f"{broken} has no metrics.json, so its training did not end; resume it by adding --resume."
    assert sentence in page.text
    assert "good/rank/uar" in page.numbers


def test_a_small_number_of_speakers_is_shown_beside_the_interval(make_run: Callable[..., Path], tmp_path: Path) -> None:
    source = Page(render_page([make_run(num_clusters=2)], tmp_path / "report")).source
    assert re.search(r'rank/interval/uar/high">[\d.]+</data>\s*<span class="few">only 2 speakers</span>', source)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_all_text_has_a_contrast_of_at_least_4_5(theme: int) -> None:
    def luminance(colour: str) -> float:
        values = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    blocks = re.findall(r":root \{(.*?)\}", CSS.read_text(), flags=re.S)
    colours = dict(re.findall(r"--(\w+): (#\w{6})", blocks[theme]))
    for ground in ("ground", "panel"):
        for ink in ("ink", "quiet", "link", "simple"):
            low, high = sorted((luminance(colours[ground]), luminance(colours[ink])))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (ground, ink)


def test_differences_and_comparisons_on_the_page_are_the_computed_ones(
    make_tested: Callable[..., Path], tmp_path: Path
) -> None:
    folders = [make_tested(name, seed=number, skill=skill) for number, (name, skill) in enumerate(RUNS.items())]
    [pair] = compare_runs(folders[:2])
    page = Page(render_page(folders, tmp_path / "report", [pair]))
    for standing in standings(experiments_of(gather(folders)[0]))[1:]:
        assert standing.difference is not None
        key = f"best/{standing.experiment.slug}"
        assert page.numbers[f"{key}/difference"][0] == str(standing.difference.difference)
        assert f"{key}/common" not in page.numbers
    assert page.source.count('title="not significantly different from the best">≈') == 1
    for score in ("uar", "accuracy", "weighted_f1", "macro_f1", "ece"):
        entry = pair.comparison.scores[score]
        shown = [page.numbers[f"compare/1/{score}/{side}"][0] for side in ("first", "second", "difference")]
        assert shown == [str(entry.first), str(entry.second), str(entry.difference)]
    for label, entry in pair.comparison.recall.items():
        assert page.numbers[f"compare/1/recall/{label}/difference"][0] == str(entry.difference)
    assert pair.verdict in page.text
    assert pair.comparison.mcnemar is not None
    assert page.numbers["compare/1/p"][0] == str(pair.comparison.mcnemar.p)


RUNS = {"best": 0.8, "level": 0.77, "worse": 0.2}


def test_the_number_of_common_utterances_is_shown_if_smaller(
    make_tested: Callable[..., Path], draw: Callable[..., Predictions], tmp_path: Path
) -> None:
    full = draw(2, 0.3)
    some = replace(full, table=full.table.iloc[:90].reset_index(drop=True))
    page = Page(render_page([make_tested("best", skill=0.9), make_tested("some", test=some)], tmp_path / "report"))
    assert page.numbers["best/some/common"] == ("90", "90")


def test_seeds_folds_and_published_scores_are_shown(make_tested: Callable[..., Path], tmp_path: Path) -> None:
    folders = [make_tested(f"seed{number}", seed=number, training_seed=number) for number in (1, 2)]
    crossed = make_tested("crossed", skill=0.1)
    metrics = json.loads((crossed / "metrics.json").read_text())
    scores = {name: metrics["splits"]["test"][name] for name in ("uar", "accuracy", "weighted_f1", "macro_f1")}
    folds = {"03": scores | {"n": 70, "nll": 1.5, "ece": 0.1}, "08": scores | {"n": 70, "uar": 0.5, "nll": 1.2}}
    over = {"uar": {"mean": 0.4321, "deviation": 0.0123}}
    (crossed / "metrics.json").write_text(
        json.dumps(metrics | {"policy": "speaker", "folds": folds, "over_folds": over})
    )
    settings = {"published": {"accuracy": 0.8806, "weighted_f1": 0.8789, "note": "one <run>"}}
    (crossed / "settings.yaml").write_text(json.dumps(settings))
    page = Page(render_page([*folders, crossed], tmp_path / "report"))
    seeds = experiments_of(gather(folders)[0])[0]
    assert page.numbers[f"seeds/{seeds.runs[0].slug}/uar/mean"] == (
        str(seeds.mean("uar")),
        f"{100 * seeds.mean('uar'):.1f}",
    )
    assert page.numbers[f"seeds/{seeds.runs[0].slug}/uar/deviation"][0] == str(seeds.deviation("uar"))
    assert page.numbers["crossed/folds/08/uar"] == ("0.5", "50.0")
    assert page.numbers["crossed/over_folds/uar/mean"] == ("0.4321", "43.2")
    assert page.numbers["crossed/over_folds/uar/deviation"] == ("0.0123", "1.2")
    assert page.numbers["published/crossed/accuracy"] == ("0.8806", "88.1")
    assert "published 87.9" in " ".join(page.text.split())
    assert "Published: one <run>" in page.text


def test_of_many_runs_only_the_best_have_sections_and_the_others_list_differing_settings(
    make_run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "MAX_SECTIONS", 1)
    runs = [make_run("good", skill=0.9), make_run("bad", skill=0.1, seed=2)]
    page = Page(build(runs, tmp_path / "report"))
    assert (
        "Only the best 1 of 2 runs have a section with figures below; name fewer runs to see the others." in page.text
    )
    assert "training.learning_rate 0.001 · training.mixup_alpha 0.0" in page.text
    assert [link["href"] for link in page.all("a") if link["href"].startswith("#run")] == ["#run-1"]
    assert len(page.all("img")) == 4
