"""The facts of a text run in its model card."""

import pytest

from emokit.text.card import card_facts

LOADING = "RUN is this folder; the model itself is in `model/`, as transformers writes it."


def test_a_card_tells_the_input_and_the_task():
    facts = card_facts({"model": {"kind": "tiny"}})
    assert (facts.reads, facts.example) == ("one written utterance", '"I did not expect that!"')
    assert (facts.pipeline_tag, facts.tags) == ("text-classification", ())


@pytest.mark.parametrize("kind", ["pretrained", "tiny"])
def test_an_encoder_is_loaded_with_transformers(kind):
    assert card_facts({"model": {"kind": kind}}).loading == (
        f"{LOADING} In Python:\n\n    from transformers import AutoModelForSequenceClassification\n\n"
        '    model = AutoModelForSequenceClassification.from_pretrained("RUN/model")  # labels in model.config.id2label'
    )


@pytest.mark.parametrize("settings", [{"model": {"kind": "tfidf"}}, {"model": {"kind": "zero_shot"}}, {}])
def test_other_models_are_loaded_with_emokit_only(settings):
    assert card_facts(settings).loading == LOADING
