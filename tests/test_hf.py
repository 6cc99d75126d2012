"""`import emokit.hf` registers emokit's models with transformers' Auto classes; `import emokit` imports nothing heavy."""

import subprocess
import sys

import pytest
import torch
from transformers import AutoConfig, AutoModelForAudioClassification

import emokit.hf
from emokit.audio.functionals.model import FunctionalsConfig, FunctionalsForAudioClassification
from emokit.audio.spectrogram.acrnn import AcrnnConfig, AcrnnForAudioClassification
from emokit.audio.waveform.encoder import SpeechConfig, SpeechForAudioClassification
from tests.audio.conftest import CONVOLUTIONS, LAYERS, POSITIONS

SHAPE = {"n_mels": 32, "channels": (4, 8), "lstm_hidden_size": 8, "num_attention_heads": 2, "classifier_hidden_size": 8}
IN_A_NEW_PROCESS = """
import sys
import emokit
heavy = [name for name in ("torch", "transformers", "numpy", "pydantic") if name in sys.modules]
from transformers import AutoModelForAudioClassification
hooks = [hook for hook in sys.meta_path if type(hook).__module__.startswith("emokit")]
try:
    AutoModelForAudioClassification.from_pretrained(sys.argv[1])
except ValueError as error:
    before = "acrnn" in str(error)
import emokit.hf
model = AutoModelForAudioClassification.from_pretrained(sys.argv[1])
print(heavy, before, type(model).__name__, len(hooks))
"""


@pytest.fixture
def folder(tmp_path):
    AcrnnForAudioClassification(AcrnnConfig(**SHAPE)).save_pretrained(tmp_path)
    return tmp_path


def test_a_model_loads_after_import_emokit_hf_and_import_emokit_imports_nothing_heavy(folder):
    words = [sys.executable, "-c", IN_A_NEW_PROCESS, str(folder)]
    shown = subprocess.run(words, capture_output=True, text=True, check=False)
    assert shown.stdout.strip() == "[] True AcrnnForAudioClassification 0", shown.stderr


def test_the_auto_classes_load_the_same_config_and_weights(folder):
    config = AutoConfig.from_pretrained(folder)
    assert (config.model_type, config.channels) == ("acrnn", [4, 8])
    first, second = (AutoModelForAudioClassification.from_pretrained(folder).eval() for _ in range(2))
    windows = torch.randn(2, 40, 32)
    assert torch.equal(first(input_features=windows).logits, second(input_features=windows).logits)


def test_every_model_of_the_audio_modality_is_registered(tmp_path):
    encoder = {"model_type": "wav2vec2", **CONVOLUTIONS, **POSITIONS, **LAYERS}
    for name, model in (
        ("functionals", FunctionalsForAudioClassification(FunctionalsConfig(n_mels=40))),
        ("speech", SpeechForAudioClassification(SpeechConfig(encoder=encoder, classifier_hidden_size=8))),
    ):
        model.save_pretrained(tmp_path / name)
        assert isinstance(AutoModelForAudioClassification.from_pretrained(tmp_path / name), type(model))


def test_registering_twice_does_nothing(folder):
    emokit.hf.register()
    assert isinstance(AutoModelForAudioClassification.from_pretrained(folder), AcrnnForAudioClassification)
