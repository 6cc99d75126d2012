"""The verdict, word for word."""

import pytest

from emokit.fusion.late.wording import verdict


def fusion_with(objective, difference, low, high, modalities=("text", "audio")):
    test = {"difference": difference, "difference_interval": [low, high]}
    method = {
        "name": "searched",
        "title": "searched weights",
        "test": {objective: test},
        "dev": {objective: {"difference": 0.004}},
    }
    return {
        "settings": {"objective": objective},
        "best_single": "text",
        "modalities": list(modalities),
        "choice": "searched",
        "fusion_methods": [method],
        "clusters": {"test": 280},
        "cluster": "dialogue",
    }


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            ("weighted_f1", 0.021, 0.004, 0.038),
            "Fusion helps: on test the weighted F1 of searched weights is 2.1 points above text alone "
            "(95 % interval +0.4 to +3.8 over 280 dialogues); out of fold on dev the difference is +0.4.",
        ),
        (
            ("accuracy", -0.001, -0.01, 0.008),
            "No significant gain from fusion: on test the accuracy of searched weights is 0.1 points below text alone "
            "(95 % interval -1.0 to +0.8 over 280 dialogues, which contains zero); out of fold on dev the difference is +0.4.",
        ),
        (
            ("uar", -0.03, -0.05, -0.01),
            "Fusion hurts, so use text alone: on test the unweighted average recall of searched weights is 3.0 points below "
            "text alone (95 % interval -5.0 to -1.0 over 280 dialogues); out of fold on dev the difference is +0.4.",
        ),
        (
            ("nll", -0.12, -0.15, -0.09),
            "Fusion helps: on test the negative log-likelihood of searched weights is 0.120 nats below text alone "
            "(95 % interval -0.150 to -0.090 over 280 dialogues); out of fold on dev the difference is +0.004.",
        ),
        (
            ("weighted_f1", 0.0, 0.0, 0.0),
            "No significant gain from fusion: on test the weighted F1 of searched weights is that of text alone (95 % "
            "interval +0.0 to +0.0 over 280 dialogues, which contains zero); out of fold on dev the difference is +0.4.",
        ),
    ],
)
def test_the_verdict_follows_from_the_interval(values, sentence):
    assert verdict(fusion_with(*values)) == sentence


def test_one_modality_is_nothing_to_fuse():
    assert verdict(fusion_with("uar", 0.0, 0.0, 0.0, ["text"])) == (
        "Only one modality was given, text, so nothing was fused; the run has its calibrated predictions."
    )


def test_over_too_few_clusters_nothing_is_concluded():
    fusion = fusion_with("accuracy", 0.1, 0.05, 0.2) | {"clusters": {"test": 5}, "cluster": "speaker"}
    assert verdict(fusion) == (
        "Too few speakers to say whether fusion helps: on test the accuracy of searched weights is 10.0 points above text "
        "alone (over 5 speakers, and a 95 % interval needs 6 or more); out of fold on dev the difference is +0.4."
    )
    assert verdict(fusion | {"clusters": {"test": 6}}).startswith("Fusion helps: ")
