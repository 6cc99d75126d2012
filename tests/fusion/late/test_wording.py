"""The verdict, word for word."""

import pytest

from emokit.fusion.late.wording import verdict


def found(objective, difference, low, high, modalities=("text", "audio")):
    test = {"difference": difference, "difference_interval": [low, high]}
    rung = {
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
        "ladder": [rung],
        "clusters": {"test": 280},
        "cluster": "dialogue",
    }


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            ("weighted_f1", 0.021, 0.004, 0.038),
            "Fusion helps: on test the weighted F1 of searched weights is 2.1 points above that of text alone "
            "(95 % interval +0.4 to +3.8 over 280 dialogues); out of fold on dev the difference is +0.4.",
        ),
        (
            ("accuracy", -0.001, -0.01, 0.008),
            "It is not shown that fusion helps: on test the accuracy of searched weights is 0.1 points below that of text "
            "alone (95 % interval -1.0 to +0.8 over 280 dialogues, which contains zero); out of fold on dev the difference "
            "is +0.4.",
        ),
        (
            ("uar", -0.03, -0.05, -0.01),
            "Fusion hurts, use text alone: on test the unweighted average recall of searched weights is 3.0 points below "
            "that of text alone (95 % interval -5.0 to -1.0 over 280 dialogues); out of fold on dev the difference is +0.4.",
        ),
        (
            ("nll", -0.12, -0.15, -0.09),
            "Fusion helps: on test the negative log-likelihood of searched weights is 0.120 nats below that of text alone "
            "(95 % interval -0.150 to -0.090 over 280 dialogues); out of fold on dev the difference is +0.004.",
        ),
        (
            ("weighted_f1", 0.0, 0.0, 0.0),
            "It is not shown that fusion helps: on test the weighted F1 of searched weights is that of text alone (95 % "
            "interval +0.0 to +0.0 over 280 dialogues, which contains zero); out of fold on dev the difference is +0.4.",
        ),
    ],
)
def test_the_verdict_says_what_the_interval_shows(values, sentence):
    assert verdict(found(*values)) == sentence


def test_one_modality_is_nothing_to_fuse():
    assert verdict(found("uar", 0.0, 0.0, 0.0, ["text"])) == (
        "There is one modality only, text, so nothing was fused: its own predictions, calibrated, are written."
    )
