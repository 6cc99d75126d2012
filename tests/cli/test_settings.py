"""`emokit settings`: every field with its sentence."""

import json

import pytest
from typer.testing import CliRunner

from emokit.audio.settings import AudioSettings
from emokit.cli.app import app
from emokit.fusion.late.settings import FusionSettings
from emokit.settings import fields
from emokit.text.settings import TextSettings

runner = CliRunner()


@pytest.mark.parametrize(
    ("name", "settings", "examples"),
    [
        ("audio", AudioSettings, ("training.max_epochs", "model.channels", "training.mixup_alpha")),
        ("text", TextSettings, ("training.max_tokens_per_batch", "model.tiny.num_hidden_layers")),
        ("late-fusion", FusionSettings, ("fusion.step", "result.weights")),
    ],
)
def test_every_setting_is_listed_with_a_sentence(name, settings, examples):
    sentences = fields(settings)
    assert set(examples) <= set(sentences)
    assert all(sentence.endswith((".", ").")) for sentence in sentences.values()), sentences
    result = runner.invoke(app, ["settings", name])
    assert result.exit_code == 0, result.output
    assert [setting for setting in sentences if setting not in result.stdout] == []


def test_json_is_a_schema():
    schema = json.loads(runner.invoke(app, ["settings", "--json"]).stdout)
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("name", ["video", "vision"])
def test_a_modality_without_settings_is_refused(name):
    result = runner.invoke(app, ["settings", name])
    assert result.exit_code == 2
    assert result.stderr.strip() == (
        f"error: There are no settings of {name}; expected one of audio, text, late-fusion."
    )
