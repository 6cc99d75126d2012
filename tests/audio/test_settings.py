"""Settings of audio trainings, and the experiments that come with emokit: each is valid and starts with its command."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from emokit.audio.settings import AudioSettings, AugmentationSettings, DataSettings, FeatureSettings
from emokit.errors import UsageError

EXPERIMENTS = Path(__file__).parent.parent.parent / "experiments"
AUDIO = [path for path in sorted((EXPERIMENTS / "audio").glob("*.yaml")) if not path.stem.endswith("sweep")]


@pytest.mark.parametrize("path", AUDIO, ids=lambda path: path.stem)
def test_an_audio_experiment_is_valid_and_starts_with_its_command(path):
    settings = AudioSettings.read(path)
    assert settings.name == path.stem
    comment = path.read_text(encoding="utf-8").split("\nname:")[0]
    assert f"emokit train audio experiments/audio/{path.name}" in comment or path.stem == "demo"


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
def test_an_experiment_of_the_study_has_the_settings_of_the_study(name):
    settings = AudioSettings.read(EXPERIMENTS / "audio" / f"{name}.yaml")
    accuracy, with_meld, with_all, widest, lr, smoothing, weights = STUDY[name]
    corpora = {"crema_d", "ravdess", "tess", "savee", "emodb"}
    corpora |= ({"meld"} if with_meld else set()) | ({"esd", "jl_corpus"} if with_all else set())
    assert set(settings.data.corpora) == corpora
    assert settings.published.accuracy == accuracy
    assert settings.model.channels == (widest // 8, widest // 4, widest // 2, widest)
    training = settings.training
    assert (training.lr, training.label_smoothing, training.class_balancing) == (lr, smoothing, weights)
    assert (training.max_epochs, training.batch_size, training.mixup_alpha) == (100, 32, 0.2)
    assert training.patience == (None if name == "v2_3_wider" else 15)


def test_only_the_studys_experiments_have_the_studys_network():
    for path in AUDIO:
        settings = AudioSettings.read(path).model
        is_the_studys = not settings.skip_connections and settings.time_poolings is None
        assert is_the_studys == path.stem.startswith(("v2_", "v3_"))


def test_fewer_poolings_of_time_allow_a_shorter_window():
    window = {"data": {"window_seconds": 0.4}}  # 18 frames
    with pytest.raises(UsageError, match="18 frames, but 5 poolings of time need 32; "):
        AudioSettings.make(window)
    AudioSettings.make({**window, "model": {"time_poolings": 4}})
    with pytest.raises(UsageError, match=r"model\.time_poolings is 6, but the first convolution and the blocks have 5"):
        AudioSettings.make({"model": {"time_poolings": 6}})


def test_too_few_mels_are_refused():
    assert AudioSettings.make({"features": {"n_mels": 16}, "model": {"kind": "functionals"}}).name == "functionals"
    with pytest.raises(UsageError, match="n_mels is 16, but 5 poolings need 32; use more"):
        AudioSettings.make({"features": {"n_mels": 16}})


def test_a_name_alone_makes_a_pretrained_encoder():
    model = AudioSettings.make({"model": {"name": "some/encoder"}}).model
    assert (model.kind, model.name) == ("pretrained", "some/encoder")
    assert AudioSettings.make({"model": {"name": "some/encoder", "kind": "pretrained"}}).model == model
    assert AudioSettings().model.kind == "acrnn"


@pytest.mark.parametrize(
    "model", [{"kind": "acrnn", "name": "x"}, {"kind": "functionals", "name": "x"}, {"kind": "pretrained"}]
)
def test_the_kind_pretrained_and_a_name_go_together(model):
    with pytest.raises(UsageError) as error:
        AudioSettings.make({"model": model})
    assert "must have kind pretrained or probe and a name together: the name is the pretrained encoder's" in str(
        error.value
    )


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"augmentation": {"num_time_masks": 1}},
            "must leave masks, shift_seconds and normalisation at their defaults where model.name is set",
        ),
        (
            {"training": {"max_seconds_per_batch": 2}},
            "training.max_seconds_per_batch must be at least data.window_seconds (3)",
        ),
        (
            {"training": {"class_balancing": "sampler", "max_seconds_per_batch": 95}},
            "data.window_seconds x training.batch_size (96)",
        ),
    ],
)
def test_settings_of_spectrograms_are_refused_for_a_pretrained_encoder(values, sentence):
    with pytest.raises(UsageError) as error:
        AudioSettings.make({"model": {"name": "some/encoder"}, **values})
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("encoder", "name"),
    [("microsoft/wavlm-base-plus", "wavlm-base-plus"), ("./my model/", "mymodel"), ("..", "encoder")],
)
def test_an_experiment_without_a_name_is_named_after_its_encoder(encoder, name):
    assert AudioSettings.make({"model": {"name": encoder}}).name == name
    assert AudioSettings.make({"model": {"name": encoder}, "name": "mine"}).name == "mine"
    assert AudioSettings().name == "acrnn"


def test_one_normalisation_at_a_time():
    with pytest.raises(UsageError) as error:
        DataSettings.make({"utterance_normalisation": True, "speaker_normalisation": True})
    assert "must have one of utterance_normalisation and speaker_normalisation, not both" in str(error.value)


def test_speed_factors_and_ranges_of_noise_that_are_none_are_refused():
    with pytest.raises(ValidationError, match=r"must have one or more speed_factors between 0\.5 and 2"):
        AugmentationSettings(speed_factors=(1.0, 3.0))
    with pytest.raises(ValidationError, match=r"must have noise_snr_db as \[lowest, highest\]"):
        AugmentationSettings(noise_snr_db=(20, 10))


@pytest.mark.parametrize("edges", [{"fmin": 7999.0}, {"fmax": 1.0}, {"fmin": 100.0, "fmax": 101.0}])
def test_mel_bins_that_no_frequency_of_the_transform_reaches_are_refused(edges):
    with pytest.raises(UsageError) as error:
        FeatureSettings.make({"sample_rate": 16_000, **edges})
    assert "must have a frequency of the transform, which are 7.8125 Hz apart, between fmin and fmax" in str(
        error.value
    )


def test_the_lowest_frequency_of_the_transform_is_enough():
    assert FeatureSettings.make({"sample_rate": 16_000, "fmax": 8.0}).fmax == 8.0
