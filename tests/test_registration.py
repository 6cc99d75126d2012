"""transformers' Auto classes load what emokit trained, and `import emokit` stays light."""

import subprocess
import sys

import pytest
import torch
from transformers import AutoConfig, AutoModelForAudioClassification

from emokit.audio.spectrogram.acrnn import AcrnnConfig, AcrnnForAudioClassification

SHAPE = {"n_mels": 32, "channels": (4, 8), "lstm_hidden_size": 8, "num_attention_heads": 2, "classifier_hidden_size": 8}
IN_A_PROCESS_OF_ITS_OWN = """
import sys
import emokit
heavy = [name for name in ("torch", "transformers", "numpy", "pydantic") if name in sys.modules]
from transformers import AutoModelForAudioClassification
model = AutoModelForAudioClassification.from_pretrained(sys.argv[1])
registry = sys.modules["transformers.models.auto.modeling_auto"]
hooks = [hook for hook in sys.meta_path if type(hook).__module__.startswith("emokit")]
print(heavy, type(model).__name__, len(hooks), registry.__file__.endswith("modeling_auto.py"))
"""


@pytest.fixture
def folder(tmp_path):
    AcrnnForAudioClassification(AcrnnConfig(**SHAPE)).save_pretrained(tmp_path)
    return tmp_path


def test_a_model_loads_after_import_emokit_which_imports_nothing_heavy(folder):
    words = [sys.executable, "-c", IN_A_PROCESS_OF_ITS_OWN, str(folder)]
    shown = subprocess.run(words, capture_output=True, text=True, check=False)
    assert shown.stdout.strip() == "[] AcrnnForAudioClassification 0 True", shown.stderr


def test_the_auto_classes_know_the_config_and_the_very_weights(folder):
    config = AutoConfig.from_pretrained(folder)
    assert (config.model_type, config.channels) == ("acrnn", [4, 8])
    one, other = (AutoModelForAudioClassification.from_pretrained(folder).eval() for _ in range(2))
    sound = torch.randn(2, 40, 32)
    assert torch.equal(one(input_features=sound).logits, other(input_features=sound).logits)
