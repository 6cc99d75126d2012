"""Audio experiments that come with emokit: every file is valid, and opens with the command that runs it."""

from pathlib import Path

import pytest

from emokit.audio.settings import AudioSettings
from emokit.errors import UsageError

EXPERIMENTS = Path(__file__).parent.parent.parent / "experiments"
AUDIO = [path for path in sorted((EXPERIMENTS / "audio").glob("*.yaml")) if not path.stem.endswith("sweep")]


@pytest.mark.parametrize("path", AUDIO, ids=lambda path: path.stem)
def test_an_audio_experiment_is_valid_and_opens_with_its_command(path):
    settings = AudioSettings.read(path)
    assert settings.name == (path.stem if path.stem != "demo" else "voice")
    opening = path.read_text(encoding="utf-8").split("\nname:")[0]
    assert f"emokit train audio experiments/audio/{path.name}" in opening or path.stem == "demo"


def test_the_studys_experiments_use_neither_warm_up_nor_clipping():
    studies = [path for path in AUDIO if path.stem.startswith(("v2_", "v3_"))]
    assert len(studies) == 7
    for path in studies:
        settings = AudioSettings.read(path)
        assert settings.training.warmup_ratio == 0
        assert settings.training.max_grad_norm is None
        assert settings.training.schedule == "plateau"
        assert settings.published.accuracy is not None


# Version: published accuracy, whether MELD and whether ESD and JL are among its corpora, widest channels, lr, smoothing, weights.
STUDY = {
    "v2_0_baseline": (0.6208, True, False, 256, 5e-4, 0.0, "none"),
    "v2_1_clean": (0.79, False, False, 256, 5e-4, 0.0, "none"),
    "v2_2_balanced": (0.6002, True, False, 256, 5e-4, 0.0, "inverse"),
    "v2_3_wider": (0.6268, True, False, 512, 5e-4, 0.0, "none"),
    "v2_4_smooth": (0.6228, True, False, 256, 5e-4, 0.1, "none"),
    "v3_0": (0.7777, True, True, 512, 5e-4, 0.2, "inverse"),
    "v3_1": (0.7765, True, True, 512, 1e-4, 0.1, "inverse"),
}


@pytest.mark.parametrize("name", STUDY)
def test_an_experiment_of_the_study_is_what_the_study_says(name):
    of = AudioSettings.read(EXPERIMENTS / "audio" / f"{name}.yaml")
    accuracy, with_meld, with_all, widest, lr, smoothing, weights = STUDY[name]
    corpora = {"crema_d", "ravdess", "tess", "savee", "emodb"}
    corpora |= ({"meld"} if with_meld else set()) | ({"esd", "jl_corpus"} if with_all else set())
    assert set(of.data.corpora) == corpora
    assert of.published.accuracy == accuracy
    assert of.model.channels == (widest // 8, widest // 4, widest // 2, widest)
    recipe = of.training
    assert (recipe.lr, recipe.label_smoothing, recipe.class_balancing) == (lr, smoothing, weights)
    assert (recipe.max_epochs, recipe.batch_size, recipe.mixup_alpha) == (100, 32, 0.2)
    assert recipe.patience == (None if name == "v2_3_wider" else 15)


def test_the_studys_experiments_have_the_studys_network():
    for path in AUDIO:
        settings = AudioSettings.read(path).model
        is_the_studys = not settings.skip_connections and settings.time_poolings is None
        assert is_the_studys == path.stem.startswith(("v2_", "v3_"))


def test_time_that_is_not_pooled_needs_no_longer_window():
    window = {"data": {"window_seconds": 0.4}}  # 18 frames
    with pytest.raises(UsageError, match="18 frames, and 5 poolings of time need 32; "):
        AudioSettings.make(window)
    AudioSettings.make({**window, "model": {"time_poolings": 4}})
    with pytest.raises(UsageError, match=r"model\.time_poolings is 6, and the first convolution and the blocks have 5"):
        AudioSettings.make({"model": {"time_poolings": 6}})


def test_too_few_mels_are_refused():
    assert AudioSettings.make({"features": {"n_mels": 16}, "model": {"kind": "functionals"}}).name == "functionals"
    with pytest.raises(UsageError, match="n_mels is 16, and 5 poolings need 32; use more"):
        AudioSettings.make({"features": {"n_mels": 16}})
