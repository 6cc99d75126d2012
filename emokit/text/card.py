"""The facts of the model card of a text run."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emokit.model_card import CardFacts

SIMPLE_BASELINE = (
    "TF-IDF of n-grams of words (1 and 2) and characters (2 to 5), logistic regression (classes weighted by the inverse "
    "square root of their frequency, C chosen on dev)"
)


def card_facts(settings: Mapping[str, Any]) -> "CardFacts":
    """The facts of a run with these resolved settings."""
    from emokit.model_card import CardFacts, in_python

    loading = "RUN is this folder; the model itself is in `model/`, as transformers writes it."
    model = settings.get("model")
    kind = model.get("kind") if isinstance(model, Mapping) else None
    if kind in ("pretrained", "tiny", "probe"):
        loading += in_python("AutoModelForSequenceClassification", own=kind == "probe")
    return CardFacts(
        reads="one written utterance",
        example='"I did not expect that!"',
        loading=loading,
        pipeline_tag="text-classification",
    )
