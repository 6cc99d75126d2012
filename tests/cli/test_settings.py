"""`emokit settings`: every field with its sentence."""

import json

from typer.testing import CliRunner

from emokit.audio.settings import AudioSettings
from emokit.cli.app import app
from emokit.settings import fields

runner = CliRunner()


def test_every_setting_is_listed_with_a_sentence():
    found = fields(AudioSettings)
    assert "training.max_epochs" in found
    assert "model.channels" in found
    assert all(sentence.endswith((".", ").")) for sentence in found.values()), found
    result = runner.invoke(app, ["settings", "audio"])
    assert result.exit_code == 0
    assert "training.mixup_alpha" in result.stdout


def test_json_is_a_schema():
    schema = json.loads(runner.invoke(app, ["settings", "--json"]).stdout)
    assert schema["additionalProperties"] is False


def test_settings_of_an_unknown_kind_are_refused():
    result = runner.invoke(app, ["settings", "video"])
    assert result.exit_code == 2
    assert result.stderr.strip() == "error: There are no settings of video; the kinds are: audio."
