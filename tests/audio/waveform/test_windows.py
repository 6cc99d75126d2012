"""Windows of waveforms in batches by length."""

from types import SimpleNamespace

import numpy
import pytest

from emokit.audio.waveform.windows import of_windows, padded, padded_lengths


class Lengths:
    """A processor whose inputs are the lengths of the windows."""

    sample_rate = 1000

    def __call__(self, waveforms):
        return {"lengths": [len(waveform) for waveform in waveforms]}


@pytest.mark.parametrize(
    ("model_type", "expected"),
    [("wav2vec2", [[300, 300, 400, 1000]]), ("sew", [[300, 300], [400], [1000]])],
)
def test_without_a_mask_only_windows_of_equal_length_share_a_batch(model_type, expected):
    config = SimpleNamespace(
        sample_rate=1000, window_seconds=1.0, window_overlap=0.0, encoder={"model_type": model_type}
    )
    batches = []

    def compute(inputs):
        batches.append(inputs["lengths"])
        return [numpy.array(length) for length in inputs["lengths"]]

    waveforms = [numpy.zeros(length) for length in (1000, 300, 400, 300)]
    spans, results = of_windows(config, Lengths(), waveforms, compute)
    assert [int(result) for result in results] == [1000, 300, 400, 300]
    assert spans == [(0, 0, 1000), (1, 0, 300), (2, 0, 400), (3, 0, 300)]
    assert batches == expected


def test_short_waveforms_are_padded_to_a_quarter_of_a_second():
    assert padded_lengths(numpy.array([10, 5000]), 16_000).tolist() == [4000, 5000]
    (waveform,) = padded([numpy.ones(10)], 16_000)
    assert (waveform.dtype, len(waveform), waveform.sum()) == (numpy.float32, 4000, 10)
