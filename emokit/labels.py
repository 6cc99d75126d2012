"""The seven emotions, in their one order."""

LABELS: tuple[str, ...] = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
NUM_LABELS = len(LABELS)

# label -> its number, the `target` of training
TARGETS: dict[str, int] = {label: target for target, label in enumerate(LABELS)}

# target -> label, as a transformers config wants it
ID2LABEL: dict[int, str] = dict(enumerate(LABELS))
