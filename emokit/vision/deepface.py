"""DeepFace's emotion network, on the largest face of a frame.

Serengil and Ozpinar, "A benchmark of facial recognition pipelines and co-usability performances of modules", 2024,
https://github.com/serengil/deepface. It is installed with the extra `vision` and downloads its weights once.
"""

from collections.abc import Callable

import numpy

from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet

DEEPFACE_LABELS = LabelSet(("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"))

Network = Callable[[numpy.ndarray], numpy.ndarray | None]
"""A frame (height, width, 3) in RGB, 0..255 -> (classes,) probabilities, or None for a frame without a face."""


def deepface() -> Network:
    """The network, its probabilities in the order of `DEEPFACE_LABELS`.

    Raises:
        UsageError: DeepFace is not installed.
        DataError: its weights are not on this machine and cannot be downloaded.
    """
    try:
        from deepface import DeepFace
    except ImportError as error:
        raise UsageError(
            f"DeepFace cannot be loaded ({error}); install it with `pip install '.[vision]'` in a clone of emokit."
        ) from error
    try:
        DeepFace.build_model(model_name="Emotion", task="facial_attribute")
    except Exception as error:  # whatever a failed download raises
        raise DataError(
            f"DeepFace's weights are not on this machine and cannot be downloaded ({_first_line(error)}); "
            "put them into ~/.deepface/weights, or try again with a network connection."
        ) from error

    def network(frame: numpy.ndarray) -> numpy.ndarray | None:
        # It takes BGR. Without a face it analyses the whole frame and reports a confidence of 0.
        faces = DeepFace.analyze(frame[:, :, ::-1], actions=["emotion"], enforce_detection=False, silent=True)
        detected = [face for face in faces if face["face_confidence"] > 0]
        if not detected:
            return None
        largest = max(detected, key=lambda face: face["region"]["w"] * face["region"]["h"])
        values = numpy.array([float(largest["emotion"][label]) for label in DEEPFACE_LABELS])
        probabilities: numpy.ndarray = values / values.sum()
        return probabilities

    return network


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
