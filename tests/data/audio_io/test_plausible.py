"""What is plausible is used, what is odd is flagged or repaired, and the rest is refused."""

from pathlib import Path

import numpy as np
import pytest

from emokit.data.audio_io.faults import COMPLETE, BadAudio, End
from emokit.data.audio_io.plausible import Audio, Header, Samples, check_end, checked_features, plausible

RATE = 16_000
PATH = Path("a.wav")


def tone(peak: float = 0.5, num_samples: int = RATE) -> Samples:
    """(samples, 1) float32 with exactly this peak."""
    samples = np.sin(np.arange(num_samples) / 5)
    return (samples / np.abs(samples).max() * peak).astype(np.float32)[:, None]


def judged(channels: Samples, end: End = COMPLETE, rate: int = RATE) -> Audio:
    return plausible(PATH, channels, rate, end)


def refusal(channels: Samples, end: End = COMPLETE) -> str:
    with pytest.raises(BadAudio) as caught:
        judged(channels, end)
    return str(caught.value)


@pytest.mark.parametrize("peak", [0.5, 1.0, 1.9])
def test_samples_up_to_the_overshoot_of_encoders_are_used_unchanged(peak: float) -> None:
    audio = judged(tone(peak))
    assert audio.flags == ()
    np.testing.assert_array_equal(audio.waveform, tone(peak)[:, 0])


def test_samples_above_full_scale_are_flagged_with_their_peak() -> None:
    audio = judged(tone(4.0))
    assert [str(flag) for flag in audio.flags] == ["samples above full scale (peak 4 of full scale)"]
    np.testing.assert_array_equal(audio.waveform, tone(4.0)[:, 0])


@pytest.mark.parametrize("peak", [256.0, 3_000.0, 32_767.0, 40_000.0])
def test_floats_of_16_bit_scale_are_divided(peak: float) -> None:
    audio = judged(tone(peak))
    assert [str(flag) for flag in audio.flags] == [
        f"floats of 16-bit scale, repaired by dividing them by 32768 (peak {peak:g} of full scale)"
    ]
    np.testing.assert_array_equal(audio.waveform, tone(peak)[:, 0] / 32_768)


def test_16_bit_samples_stored_as_floats_are_the_recording_of_the_integers() -> None:
    integers = np.random.default_rng(0).integers(-9_999, 9_999, (RATE, 1), np.int16)
    assert judged(integers.astype(np.float32)).recording_hash() == judged(integers).recording_hash()


@pytest.mark.parametrize(
    ("peak", "shown"), [(9, "9"), (200, "200"), (2.0**24, "1.68e+07"), (1e20, "1e+20"), (3e38, "3e+38")]
)
def test_samples_of_no_known_scale_are_refused_with_their_peak(peak: float, shown: str) -> None:
    assert refusal(tone(peak)) == (
        f"a.wav is far above full scale (peak {shown} of full scale); scale its samples to -1..1 or leave it out."
    )


def test_a_channel_far_above_full_scale_counts_though_the_mean_is_not() -> None:
    assert "peak 3e+38" in refusal(np.hstack([tone(3e38), -tone(3e38)]))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_not_finite_are_refused(value: float) -> None:
    samples = tone()
    samples[7] = value
    assert refusal(samples) == "a.wav is undecodable (samples are not finite numbers); fetch it again or leave it out."


def test_an_end_that_cannot_be_checked_and_a_short_length_are_flagged() -> None:
    flags = judged(tone(num_samples=1_599), End(unknown="it is a stream")).flags
    assert [str(flag) for flag in flags] == [
        "its end cannot be checked (it is a stream)",
        "shorter than 0.1 s (1599 samples at 16000 Hz)",
    ]
    assert judged(tone(num_samples=1_600)).flags == ()


def test_an_odd_container_is_flagged_in_one_sentence() -> None:
    flags = judged(tone(), End(odd=("7 of this", "8 of that"))).flags
    assert [str(flag) for flag in flags] == ["its container is odd (7 of this and 8 of that)"]


def test_a_cut_and_damage_are_refused_before_decoding() -> None:
    check_end(PATH, End(unknown="it is a stream", odd=("7 of this",)))
    for end, sentence in (
        (End(cut="it has 7"), "a.wav is truncated (it has 7); fetch it again."),
        (End(damage="it has 7"), "a.wav is damaged (it has 7); fetch it again or leave it out."),
    ):
        with pytest.raises(BadAudio) as caught:
            check_end(PATH, end)
        assert str(caught.value) == sentence


def test_fewer_samples_than_declared_are_a_cut() -> None:
    assert refusal(tone(), End(num_samples=RATE + 1)) == (
        "a.wav is truncated (its header declares 16001 samples, it has 16000); fetch it again."
    )
    assert len(judged(tone(), End(num_samples=RATE)).waveform) == RATE


@pytest.mark.parametrize("rate", [0, 1, 3_999, 768_001, 2**32 - 1])
def test_an_implausible_rate_is_refused(rate: int) -> None:
    with pytest.raises(BadAudio) as caught:
        Header(PATH, rate, 1).check_rate()
    assert str(caught.value) == (
        f"a.wav is of an implausible sample rate ({rate} Hz, expected 4000 to 768000 Hz); "
        "correct its header or leave it out."
    )
    Header(PATH, 4_000, 1).check_rate()
    Header(PATH, 768_000, 1).check_rate()


def test_more_than_the_limit_is_refused() -> None:
    Header(PATH, RATE, 1, max_seconds=2).check_length(2 * RATE)
    with pytest.raises(BadAudio) as caught:
        Header(PATH, RATE, 1, max_seconds=2).check_length(2 * RATE + 1)
    assert str(caught.value) == (
        "a.wav is too long (2.0 s or more, at most 2 s of 1 channel at 16000 Hz are read); cut it into shorter recordings."
    )


def test_many_channels_at_a_high_rate_are_limited_by_memory() -> None:
    Header(PATH, 48_000, 2).check_length(4 * 3600 * 48_000)
    with pytest.raises(BadAudio, match=r"at most 1800 s of 8 channels at 96000 Hz are read"):
        Header(PATH, 96_000, 8).check_length(1_801 * 96_000)


def test_features_that_are_not_finite_are_refused() -> None:
    waveform = tone()[:, 0]
    assert checked_features(lambda samples: samples[None], waveform, PATH).shape == (1, RATE)
    with pytest.raises(BadAudio) as caught:
        checked_features(lambda samples: np.array([[1.0, np.inf, np.nan]]), waveform, PATH)
    assert str(caught.value) == "a.wav is without finite features (2 of 3 numbers are not finite); leave it out."


@pytest.mark.parametrize(("value", "shown"), [(0.5, "0.5"), (-1.0, "-1"), (0.001, "0.001")])
def test_one_constant_value_is_silence(value: float, shown: str) -> None:
    channels = np.full((RATE, 1), value, np.float32)
    sentence = f"a.wav is silent ({RATE} samples, all of them {shown} of full scale); leave it out."
    assert refusal(channels) == sentence
    assert refusal((channels * 32767).astype(np.int16)).startswith(f"a.wav is silent ({RATE} samples, all of them ")
    channels[5] += 0.1
    assert judged(channels).flags == ()
