"""The page of a report as headless Chromium shows it, on a desktop and on a phone, in light and in dark."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from emokit.cli.app import app
from emokit.report.comparison.compare import compare_runs
from emokit.report.page.build import build

pytestmark = pytest.mark.end_to_end
Look = Callable[[Path], dict[str, Any]]


@pytest.fixture(scope="module")
def page(small_prepared: Path, text_prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report that compares two bags of words, beside a model of sound, a broken folder, and none."""
    folder = tmp_path_factory.mktemp("page")
    sound = {
        "data": {"window_seconds": 1.5},
        "features": {"sample_rate": 16000, "n_fft": 512, "hop_length": 320, "n_mels": 32},
        "model": {"channels": [4, 8], "lstm_hidden_size": 8, "num_attention_heads": 2, "classifier_hidden_size": 8},
        "training": {"max_epochs": 2, "batch_size": 16},
        "published": {"accuracy": 0.9, "note": "somebody else"},
    }
    words = {"model": {"kind": "tfidf"}}
    (folder / "sound.yaml").write_text(yaml.safe_dump(sound))
    (folder / "words.yaml").write_text(yaml.safe_dump(words))
    (folder / "runs" / "broken").mkdir(parents=True)
    runs = {
        "words": ["text", "words.yaml", "--data", str(text_prepared)],
        "fewer-words": ["text", "words.yaml", "--data", str(text_prepared), "--set", "data.corpora=[meld]"],
        "a-model-of-sound-with-a-name-as-long-as-people-give-them": [
            "audio",
            "sound.yaml",
            "--data",
            str(small_prepared),
        ],
    }
    for name, (wing, settings, *others) in runs.items():
        given = [
            "train",
            wing,
            str(folder / settings),
            *others,
            "--run",
            str(folder / "runs" / name),
            "--device",
            "cpu",
        ]
        result = CliRunner().invoke(app, given)
        assert result.exit_code == 0, result.output
    named = [folder / "runs" / name for name in (*runs, "broken")]
    return build(named, folder / "report", compare_runs(named[:2]))


def test_the_page_is_whole_and_can_be_read(page: Path, sound_page: Look) -> None:
    assert sound_page(page)["figures"] >= 14


def test_a_clip_is_played_from_the_folder_of_its_corpus(page: Path, browser: Any) -> None:
    browser.look(page, 1280, "light")
    heard = """new Promise((done) => {
      const audio = document.querySelector("audio");
      audio.onloadedmetadata = () => done(audio.duration);
      audio.onerror = () => done(audio.error.message);
      audio.preload = "metadata";
      audio.load();
    })"""
    assert 0.3 < browser.value(heard) < 10
    assert browser.errors == []


def test_what_is_wrong_with_a_page_is_seen(page: Path, browser: Any, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    ill = tmp_path / "index.html"
    ill.write_text(
        text.replace("</main>", '<p style="color: #999">too pale</p><div style="width: 3000px">wide</div></main>')
        .replace("default-src 'none'", "default-src 'none'; script-src 'none'")
        .replace("</body>", '<img alt="gone" src="data:,"><script>1</script></body>'),
        encoding="utf-8",
    )
    found = browser.look(ill, 390, "light")
    assert [words for words, _ in found["pale"]] == ["too pale"]
    assert found["wide"] == ["DIV. wide"]
    assert found["hidden"] == ["gone"]
    assert found["scrolls"] > 2000
    assert found["scripts"] == 1
    assert any("Content Security Policy" in error for error in found["errors"])
