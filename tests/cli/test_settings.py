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
    ("kind", "settings", "some"),
    [
        ("audio", AudioSettings, ("training.max_epochs", "model.channels", "training.mixup_alpha")),
        ("text", TextSettings, ("training.max_tokens_per_batch", "model.tiny.num_hidden_layers")),
        ("fusion", FusionSettings, ("fusion.step", "result.weights")),
    ],
)
def test_every_setting_is_listed_with_a_sentence(kind, settings, some):
    found = fields(settings)
    assert set(some) <= set(found)
    assert all(sentence.endswith((".", ").")) for sentence in found.values()), found
    result = runner.invoke(app, ["settings", kind])
    assert result.exit_code == 0, result.output
    assert [name for name in found if name not in result.stdout] == []


def test_json_is_a_schema():
    schema = json.loads(runner.invoke(app, ["settings", "--json"]).stdout)
    assert schema["additionalProperties"] is False


def test_settings_of_an_unknown_kind_are_refused():
    result = runner.invoke(app, ["settings", "video"])
    assert result.exit_code == 2
    assert result.stderr.strip() == "error: There are no settings of video; the kinds are: audio, text, fusion."
