import base64
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from emokit.report.build import build

CSS = Path(__file__).parents[2] / "emokit" / "report" / "page.css"


class Page(HTMLParser):
    """The elements of a page, the text of all of it, and its `<data>` by key."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.numbers: dict[str, tuple[str, str]] = {}
        self.text = ""
        self._key: str | None = None
        self.source = page.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attributes}
        self.elements.append((tag, named))
        if tag == "data":
            self._key = named["data-key"]
            self.numbers[self._key] = (named["value"], "")

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


def leaves(value: Any, key: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return {path: leaf for name, inner in value.items() for path, leaf in leaves(inner, f"{key}/{name}").items()}
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], float):
        return {f"{key}/low": value[0], f"{key}/high": value[1]}
    return {key: value}


def test_every_number_on_the_page_is_the_one_in_metrics_json(make_run: Callable[..., Path], tmp_path: Path) -> None:
    folders = [make_run("one"), make_run("two", seed=2, skill=0.3)]
    page = Page(build(folders, tmp_path / "report"))
    for folder in folders:
        known: dict[str, Any] = {}
        for name, split in json.loads((folder / "metrics.json").read_text())["splits"].items():
            known |= leaves(split, f"{folder.name}/{name}")
            if name == "test":
                known |= leaves(split, f"{folder.name}/rank")
        shown = {key: both for key, both in page.numbers.items() if key.startswith(f"{folder.name}/")}
        for key, (value, text) in shown.items():
            assert float(value) == known[key], key
            rounded = f"{known[key]:,}" if isinstance(known[key], int) else f"{100 * known[key]:.1f}"
            assert text == (f"{known[key]:.3f}" if "/nll" in key else rounded), key
        skipped = ("confusion", "num_clusters", "cluster", "description", "dev/baselines", "rank/", "dev/n", "test/n")
        missing = {key for key in known.keys() - shown.keys() if not any(word in key for word in skipped)}
        assert not missing


def test_the_ledger_on_the_page_is_the_one_of_the_run(make_run: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_run()
    page = Page(build([folder], tmp_path / "report"))
    ledger = json.loads((folder / "ledger.json").read_text())
    for name, corpus in ledger["corpora"].items():
        key = f"data/1/{name}"
        for column in ("expected", "found", "kept"):
            assert page.numbers[f"{key}/{column}"][0] == str(corpus[column])
        for what in ("dropped", "repaired", "flagged"):
            assert page.numbers[f"{key}/{what}"][0] == str(sum(map(len, corpus[what].values())))
            for reason, ids in corpus[what].items():
                assert page.numbers[f"{key}/{what}/{reason}"][0] == str(len(ids))
                assert reason in page.text
        for split, part in corpus["splits"].items():
            assert page.numbers[f"{key}/splits/{split}/utterances"][0] == str(part["utterances"])
            assert page.numbers[f"{key}/splits/{split}/speakers"][0] == str(len(part["speakers"]))
    for kind, shared in ledger["leakage"].items():
        for pair, number in shared.items():
            assert page.numbers[f"data/1/leakage/{kind}/{pair}"][0] == str(number)


def test_markup_in_names_labels_paths_and_reasons_is_shown_and_never_obeyed(
    make_run: Callable[..., Path], tmp_path: Path
) -> None:
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


def test_the_page_fetches_nothing(make_run: Callable[..., Path], tmp_path: Path) -> None:
    page = Page(build([make_run()], tmp_path / "report"))
    fetched = [attributes[name] for _, attributes in page.elements for name in ("src", "srcset") if name in attributes]
    assert len(fetched) == 8
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


def test_every_link_leads_somewhere(make_run: Callable[..., Path], tmp_path: Path) -> None:
    page = Page(build([make_run("one"), make_run("two")], tmp_path / "report"))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for link in page.all("a"):
        target = link["href"]
        assert target[1:] in ids if target.startswith("#") else (tmp_path / "report" / target).exists()


def test_figures_have_words_and_tables_have_captions_and_scope(make_run: Callable[..., Path], tmp_path: Path) -> None:
    page = Page(build([make_run()], tmp_path / "report"))
    assert all(len(image["alt"]) > 30 for image in page.all("img"))
    assert all(image["aria-label"] for image in page.all("svg"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all("scope" in header for header in page.all("th"))


def test_a_run_without_log_ledger_or_test_split_still_has_its_section(
    make_run: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_run("bare")
    for name in ("log.jsonl", "ledger.json"):
        (folder / name).unlink()
    metrics = json.loads((folder / "metrics.json").read_text())
    del metrics["splits"]["test"], metrics["seconds"], metrics["best_epoch"]
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "environment.json").write_text("{}")
    page = Page(build([folder], tmp_path / "report"))
    assert "This run has no scores on a test split." in page.text
    assert "The run folder has no ledger.json" in page.text


def test_a_broken_folder_costs_its_own_row_a_sentence(make_run: Callable[..., Path], tmp_path: Path) -> None:
    broken = make_run("broken")
    (broken / "metrics.json").unlink()
    page = Page(build([make_run("good"), broken], tmp_path / "report"))
    sentence = f"{broken} has no metrics.json, so its training did not end; go on with it by adding --resume."
    assert sentence in page.text
    assert "good/rank/uar" in page.numbers


def test_few_speakers_stand_next_to_the_interval(make_run: Callable[..., Path], tmp_path: Path) -> None:
    source = Page(build([make_run(num_clusters=2)], tmp_path / "report")).source
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
