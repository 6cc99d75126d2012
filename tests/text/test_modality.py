"""The text modality: registered, light to import, and the same functions behind the protocol."""

import subprocess
import sys
from pathlib import Path

import pytest

from emokit.data.prepared import open_prepared
from emokit.errors import DataError, UsageError
from emokit.modality import registry
from emokit.text.modality import TEXT
from emokit.text.settings import TextSettings

HEAVY = ("torch", "numpy", "pandas", "scipy", "sklearn", "transformers")


def test_text_is_registered():
    assert registry.modality("text") is TEXT
    assert (TEXT.name, TEXT.medium, TEXT.settings()) == ("text", "in text", TextSettings)
    assert [option.flag for option in TEXT.options if "predict" in option.commands] == [
        "--file",
        "--column",
        "--trust-remote-code",
        "--transcribe",
        "--language",
        "--translate",
        "--engine",
    ]
    assert [option.flag for option in TEXT.options if "train" in option.commands] == ["--trust-remote-code"]


def test_importing_it_imports_nothing_heavy():
    code = f"import sys, emokit.text.modality; sys.exit(' '.join(n for n in {HEAVY} if n in sys.modules) or 0)"
    imported = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (imported.returncode, imported.stderr) == (0, "")


def test_there_is_no_pretrained_text_model():
    with pytest.raises(UsageError) as error:
        TEXT.load(None)
    assert str(error.value) == "There is no pretrained text model; name a run folder."


@pytest.mark.end_to_end
def test_it_trains_plans_and_predicts(mood_prepared, tmp_path):
    settings = TextSettings.make({"model": {"kind": "tfidf"}, "data": {"corpora": ["diary"]}})
    prepared, run = open_prepared(mood_prepared), tmp_path / "run"
    assert TEXT.plan(settings, prepared, trust_remote_code=True).utterances == {"train": 48, "dev": 12, "test": 12}
    metrics = TEXT.train(settings, prepared, run, device="cpu", progress=print, trust_remote_code=True)
    assert set(metrics["splits"]["test"]["baselines"]) == {"majority"}
    loaded = registry.load(run, "cpu", trust_remote_code=True)
    assert [prediction.label for prediction in loaded.predict(["I need sleep"])] == ["tired"]
    assert "one written utterance" in Path(run / "README.md").read_text(encoding="utf-8")
    with pytest.raises(TypeError):
        TEXT.train(settings, prepared, tmp_path / "other", timestamps=True)


def test_a_sweep_is_refused_before_its_first_point_where_its_model_is_not_there(mood_prepared, tmp_path):
    settings = TextSettings.make({"model": {"name": str(tmp_path)}, "data": {"corpora": ["diary"]}})
    with pytest.raises(DataError) as error:
        TEXT.check_data(settings, open_prepared(mood_prepared))
    assert str(error.value) == f"{tmp_path} has no config.json, so it holds no model; name a folder that has one."
