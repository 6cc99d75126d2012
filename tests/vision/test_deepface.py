"""DeepFace's network, with a stand-in for the package."""

import builtins
import sys
import types

import numpy
import pytest

from emokit.errors import DataError, UsageError
from emokit.vision.deepface import DEEPFACE_LABELS, deepface


def package(build, analyze=None):
    module = types.ModuleType("deepface")
    module.DeepFace = types.SimpleNamespace(build_model=build, analyze=analyze)
    return module


def test_without_deepface_the_error_names_how_to_install_it(monkeypatch):
    import_module = builtins.__import__

    def without(name, *others, **more):
        if name.startswith("deepface"):
            raise ImportError("No module named 'deepface'")
        return import_module(name, *others, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError) as error:
        deepface()
    assert str(error.value) == (
        "DeepFace cannot be loaded (No module named 'deepface'); install it with `pip install '.[vision]'` "
        "in a clone of emokit."
    )


def test_weights_that_cannot_be_downloaded_are_an_error(monkeypatch):
    def build(**_):
        raise ValueError("An exception occurred while downloading the weights.\nConsider …")

    monkeypatch.setitem(sys.modules, "deepface", package(build))
    with pytest.raises(DataError) as error:
        deepface()
    assert str(error.value) == (
        "DeepFace's weights are not on this machine and cannot be downloaded (An exception occurred while downloading the "
        "weights); put them into ~/.deepface/weights, or try again with a network connection."
    )


def test_the_largest_face_counts_and_a_frame_without_a_face_gives_none(monkeypatch):
    def face(confidence, width, happy):
        emotion = dict.fromkeys(DEEPFACE_LABELS, (100 - happy) / 6) | {"happy": happy}
        return {"face_confidence": confidence, "region": {"w": width, "h": 10}, "emotion": emotion}

    given = []

    def analyze(frame, **_):
        given.append(frame)
        return [face(0.9, 5, 20.0), face(0.8, 9, 64.0), face(0, 99, 1.0)] if frame[0, 0, 0] else [face(0, 32, 50.0)]

    monkeypatch.setitem(sys.modules, "deepface", package(lambda **_: None, analyze))
    network = deepface()
    blue = numpy.zeros((4, 4, 3), numpy.uint8)
    blue[:, :, 2] = 9  # the last channel of RGB is the first one that DeepFace gets
    assert network(blue)[3] == pytest.approx(0.64)
    assert given[0][0, 0].tolist() == [9, 0, 0]
    assert network(numpy.zeros((4, 4, 3), numpy.uint8)) is None
