"""What a Python user gives, as inputs: what is wrong with one is one sentence."""

import io
from pathlib import Path

import numpy
import pandas
import pytest
import soundfile
import torch

from emokit.api.inputs import is_several, read_input
from emokit.errors import DataError, EmokitError, UsageError
from emokit.modality.predictor import Input

WAVEFORM = numpy.linspace(-0.5, 0.5, 100)
FEATURES = "where float32, int16 or int32 was expected; scale them to -1..1 as float32."


@pytest.mark.parametrize(
    ("value", "several"),
    [
        ("a.wav", False),
        (Path("a.wav"), False),
        (b"RIFF", False),
        ({"path": "a.wav"}, False),
        (Input("a", Path("a")), False),
        ((WAVEFORM, 16_000), False),
        ((16_000, WAVEFORM), False),
        (WAVEFORM, False),
        (5, False),
        (io.BytesIO(b"RIFF"), False),
        (["a.wav"], True),
        (("a.wav", "b.wav"), True),
        (pandas.Series(["a.wav"]), True),
        (numpy.array(["a.wav", "b.wav"]), True),
        ([(WAVEFORM, 16_000)], True),
        ((Path(name) for name in "ab"), True),
    ],
)
def test_one_input_is_told_from_several(value, several):
    assert is_several(value) is several


@pytest.mark.parametrize(
    ("value", "kind", "sentence"),
    [
        (WAVEFORM, UsageError, "It is an array without its sample rate; give (array, sample_rate)."),
        ((16_000, WAVEFORM), UsageError, "It has the sample rate first; give (array, sample_rate)."),
        (
            (WAVEFORM.reshape(2, 50), 16_000),
            UsageError,
            "It has the shape (2, 50) where (samples,) was expected; average its channels first.",
        ),
        (
            (torch.zeros(9, requires_grad=True), 16_000),
            UsageError,
            "It is no array of numpy (Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.); "
            "give array.detach().float().cpu().numpy().",
        ),
        (
            (numpy.ma.masked_less(WAVEFORM, 0), 16_000),
            UsageError,
            "It is a masked array, whose mask would be lost; fill it with array.filled(0).",
        ),
        ((WAVEFORM > 0, 16_000), UsageError, f"It has samples of bool {FEATURES}"),
        ((numpy.arange(9), 16_000), UsageError, f"It has samples of int64 {FEATURES}"),
        (
            (WAVEFORM, "16k"),
            UsageError,
            "It has the sample rate '16k' where a whole number in Hz was expected; correct it.",
        ),
        (
            (WAVEFORM, 0),
            UsageError,
            "It has the sample rate 0 where a whole number in Hz was expected; correct it.",
        ),
        (
            (WAVEFORM, 10**12),
            UsageError,
            "It has the sample rate 1000000000000 where a whole number in Hz was expected; correct it.",
        ),
        (
            (numpy.array([0.5, numpy.nan]), 16_000),
            DataError,
            "It has 1 sample that is no finite number; repair the waveform or leave it out.",
        ),
        (
            {"file": "a.wav"},
            UsageError,
            "It has the key 'file' where path and text were expected; leave it out.",
        ),
        ({}, DataError, "It has neither a path nor a text; add one or leave it out."),
        (
            {"path": float("nan"), "text": pandas.NA},
            DataError,
            "It has neither a path nor a text; add one or leave it out.",
        ),
        ({"text": 5}, UsageError, "It has the text 5 where a sentence was expected; give a str."),
        (
            [1],
            UsageError,
            "It is a list where a path, bytes, (array, sample_rate), a sentence or a dictionary with path and text was "
            "expected; give one of these.",
        ),
    ],
)
def test_what_is_no_input_costs_one_sentence(tmp_path, value, kind, sentence):
    error = read_input(value, "It", tmp_path)
    assert isinstance(error, EmokitError)
    assert (type(error), str(error)) == (kind, sentence)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int16", "int32"])
def test_a_waveform_is_stored_without_loss_of_what_float32_holds(tmp_path, dtype):
    scale = numpy.iinfo(dtype).max if dtype.startswith("int") else 1
    waveform = (WAVEFORM * scale).astype(dtype)
    given = read_input((waveform, 22_050), "It", tmp_path)
    stored, rate = soundfile.read(given.path, dtype="float32" if dtype.startswith("float") else dtype)
    assert rate == 22_050
    assert numpy.array_equal(stored, waveform.astype(stored.dtype))


def test_paths_and_sentences_are_left_to_the_modality(tmp_path):
    assert read_input("a.wav", "It", tmp_path) == "a.wav"
    assert read_input(Path("a.wav"), "It", tmp_path) == Path("a.wav")
    assert read_input({"path": "a.wav", "text": "fine"}, "It", tmp_path) == Input("a.wav", Path("a.wav"), "fine")
    assert read_input({"text": "fine"}, "It", tmp_path) == Input("It", text="fine")
