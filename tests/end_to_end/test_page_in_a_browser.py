"""The report page in headless Chromium, at desktop and phone widths, in the light and the dark theme."""

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
CheckPage = Callable[[Path], dict[str, Any]]


@pytest.fixture(scope="module")
def page(small_prepared: Path, text_prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report that compares two bag-of-words runs, with an audio run and a broken folder."""
    folder = tmp_path_factory.mktemp("page")
    audio = {
        "data": {"window_seconds": 1.5},
        "features": {"sample_rate": 16000, "n_fft": 512, "hop_length": 320, "n_mels": 32},
        "model": {"channels": [4, 8], "lstm_hidden_size": 8, "num_attention_heads": 2, "classifier_hidden_size": 8},
        "training": {"max_epochs": 2, "batch_size": 16},
        "published": {"accuracy": 0.9, "note": "another group"},
    }
    text = {"model": {"kind": "tfidf"}}
    (folder / "audio.yaml").write_text(yaml.safe_dump(audio))
    (folder / "text.yaml").write_text(yaml.safe_dump(text))
    (folder / "runs" / "broken").mkdir(parents=True)
    runs = {
        "bag-of-words": ["text", "text.yaml", "--data", str(text_prepared)],
        "meld-only": ["text", "text.yaml", "--data", str(text_prepared), "--set", "data.corpora=[meld]"],
        "an-audio-model-with-a-name-as-long-as-people-give-them": [
            "audio",
            "audio.yaml",
            "--data",
            str(small_prepared),
        ],
    }
    for name, (modality, settings, *others) in runs.items():
        arguments = [
            "train",
            modality,
            str(folder / settings),
            *others,
            "--run",
            str(folder / "runs" / name),
            "--device",
            "cpu",
        ]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
    folders = [folder / "runs" / name for name in (*runs, "broken")]
    return build(folders, folder / "report", compare_runs(folders[:2]))


def test_the_page_is_complete_and_legible(page: Path, check_page: CheckPage) -> None:
    assert check_page(page)["figures"] >= 14


def test_audio_is_played_from_the_corpus_folder(page: Path, browser: Any) -> None:
    browser.inspect(page, 1280, "light")
    duration = """new Promise((done) => {
      const audio = document.querySelector("audio");
      audio.onloadedmetadata = () => done(audio.duration);
      audio.onerror = () => done(audio.error.message);
      audio.preload = "metadata";
      audio.load();
    })"""
    assert 0.3 < browser.value(duration) < 10
    assert browser.errors == []


def test_faults_of_a_page_are_detected(page: Path, browser: Any, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    faulty = tmp_path / "index.html"
    faulty.write_text(
        text.replace("</main>", '<p style="color: #999">too pale</p><div style="width: 3000px">wide</div></main>')
        .replace("default-src 'none'", "default-src 'none'; script-src 'none'")
        .replace("</body>", '<img alt="gone" src="data:,"><script>1</script></body>'),
        encoding="utf-8",
    )
    faults = browser.inspect(faulty, 390, "light")
    assert [text for text, _ in faults["pale"]] == ["too pale"]
    assert faults["wide"] == ["DIV. wide"]
    assert faults["hidden"] == ["gone"]
    assert faults["scrolls"] > 2000
    assert faults["scripts"] == 1
    assert any("Content Security Policy" in error for error in faults["errors"])
