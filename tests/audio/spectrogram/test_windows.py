"""Windows of log-mels: cut, padded with silence, and the same in a GPU's memory as on disk."""

import numpy
import pytest
import torch

from emokit.audio.settings import FeatureSettings
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.audio.spectrogram.windows import DeviceLogMels, MappedLogMels, cut, on_device

CPU = torch.device("cpu")


def test_a_window_is_cut_at_its_first_frame() -> None:
    frames = numpy.arange(12.0, dtype=numpy.float16).reshape(6, 2)
    assert cut(frames, 2, 3).tolist() == [[6, 7], [8, 9]]
    assert cut(frames, 6, 0).tolist() == frames.tolist()


def test_missing_frames_have_the_quietest_value_of_the_utterance() -> None:
    frames = numpy.array([[-70, -10], [-20, -30], [-25, -35]], numpy.float16)
    # From the second frame on, where -70 does not occur: silence is as quiet as the quietest frame of the utterance.
    padded = cut(frames, 4, 1)
    assert padded.tolist() == [[-20, -30], [-25, -35], [-70, -70], [-70, -70]]
    assert padded.dtype == numpy.float16


def test_an_utterance_shorter_than_a_frame_fills_a_window() -> None:
    noise = numpy.random.default_rng(0).uniform(-1, 1, 100).astype(numpy.float32)
    short = LogMel(FeatureSettings())(noise)
    assert short.shape == (1, 128)
    window = cut(short, 130, 0)
    assert window.shape == (130, 128)
    numpy.testing.assert_array_equal(window[:1], short)
    assert set(window[1:].ravel()) == {short.min()}


def test_log_mels_on_the_device_give_the_same_windows_as_mapped_ones() -> None:
    random = numpy.random.default_rng(0)
    log_mels = [random.normal(-40, 10, (frames, 5)).astype(numpy.float16) for frames in (1, 8, 30, 12)]
    arguments = ([3, 0, 1, 2, 2, 0], [0, 0, -3, 22, 5, -7], 8)
    mapped, on_the_device = MappedLogMels(log_mels, CPU), DeviceLogMels(log_mels, CPU)
    assert torch.equal(mapped.windows(*arguments), on_the_device.windows(*arguments))
    assert mapped.lengths == on_the_device.lengths == [1, 8, 30, 12]
    silence = float(log_mels[1].min())
    assert mapped.windows([1], [-3], 8)[0, :3].tolist() == [[silence] * 5] * 3
    assert mapped.windows([1], [-3], 8)[0, 3:].tolist() == log_mels[1][:5].tolist()


def test_without_a_gpu_log_mels_stay_mapped() -> None:
    (log_mels,) = on_device([[numpy.zeros((3, 2), numpy.float16)]], CPU)
    assert isinstance(log_mels, MappedLogMels)


@pytest.mark.parametrize(("free", "kind"), [(96, "device"), (95, "mapped")])
def test_all_speeds_together_must_fit_into_half_of_a_gpus_free_memory(
    monkeypatch: pytest.MonkeyPatch, free: int, kind: str
) -> None:
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda device: (free, 1_000))
    monkeypatch.setattr("emokit.audio.spectrogram.windows.DeviceLogMels", lambda log_mels, device: "device")
    monkeypatch.setattr("emokit.audio.spectrogram.windows.MappedLogMels", lambda log_mels, device: "mapped")
    speed = [numpy.zeros((3, 2), numpy.float16)] * 2  # 24 bytes
    assert on_device([speed, speed], torch.device("cuda")) == [kind, kind]
