"""The protocol's defaults: what a modality refuses unless it says otherwise."""

from pathlib import Path

import pytest

from emokit.errors import UsageError
from emokit.modality.protocol import Modality, Option, Plan


class Smell(Modality):
    """A modality that is neither trained nor exported."""

    name = "smell"


SMELL = Smell()
NOT_TRAINED = "smell is used as it is; `emokit train --help` lists the modalities that are trained."


@pytest.mark.parametrize(
    ("refused", "sentence"),
    [
        (lambda: SMELL.settings(), "There are no settings of smell; it is used as it is."),
        (lambda: SMELL.train(None, None, Path("run")), NOT_TRAINED),
        (lambda: SMELL.plan(None, None), NOT_TRAINED),
        (
            lambda: SMELL.export(Path("run"), Path("out")),
            "run is a run of smell, which cannot be exported; name another run.",
        ),
    ],
)
def test_a_modality_refuses_what_it_does_not_have(refused, sentence):
    with pytest.raises(UsageError) as error:
        refused()
    assert str(error.value) == sentence


def test_it_computes_no_features_and_has_no_options_by_default():
    assert SMELL.compute_features(None, None, None) is None
    assert (SMELL.options, SMELL.pretrained, SMELL.auto_models) == ((), None, ())


def test_a_run_can_be_made_again_from_its_settings():
    words = SMELL.rerun(Path("runs/a"), {}, {"data": "prepared", "folds": "emobox"})
    assert " ".join(words) == (
        "emokit train smell runs/a/settings.yaml --data prepared --run runs/a-again --folds emobox"
    )
    assert SMELL.rerun(Path("runs/a"), {}, {})[4:6] == ["--data", "PREPARED"]


def test_the_flag_of_an_option_has_hyphens():
    assert Option("trust_remote_code", "Run code.", ("train",)).flag == "--trust-remote-code"
    assert Plan({"train": 3}).facts == {}
