"""The order of the seven emotions is a contract: models and tables of others depend on it."""

from emokit.labels import ID2LABEL, LABELS, NUM_LABELS, TARGETS


def test_the_labels_have_one_order_everywhere() -> None:
    assert " ".join(LABELS) == "angry disgust fear happy neutral sad surprise"
    assert NUM_LABELS == 7
    assert [TARGETS[ID2LABEL[target]] for target in range(7)] == list(range(7))
