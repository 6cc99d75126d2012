"""The mel filters and the window of log-mels, equal to librosa's to the last digit, without the two seconds of its import.

Mels are Slaney's: linear below 1 kHz, logarithmic above, each filter with the same area (librosa 0.11, `htk=False`,
`norm="slaney"`). The tests compare both with librosa.
"""

import numpy

HERTZ_PER_MEL = 200.0 / 3
LOG_FROM_HERTZ = 1000.0
LOG_FROM_MEL = LOG_FROM_HERTZ / HERTZ_PER_MEL
LOG_STEP = numpy.log(6.4) / 27.0


def mel_filters(sample_rate: int, n_fft: int, n_mels: int, fmin: float, fmax: float | None) -> numpy.ndarray:
    """(mels, n_fft / 2 + 1) float32: triangles over the frequencies of a spectrum.

    Args:
        sample_rate, fmin, fmax: in Hz; None reaches to half the sample rate.
        n_fft: samples of a frame.
        n_mels: number of filters.
    """
    lowest, highest = _mel_of(fmin), _mel_of(float(sample_rate) / 2 if fmax is None else fmax)
    edges = _hertz_of(numpy.linspace(lowest, highest, n_mels + 2))
    distances = numpy.subtract.outer(edges, numpy.fft.rfftfreq(n=n_fft, d=1.0 / sample_rate))
    widths = numpy.diff(edges)
    filters = numpy.zeros((n_mels, 1 + n_fft // 2), numpy.float32)
    for mel in range(n_mels):
        rising, falling = -distances[mel] / widths[mel], distances[mel + 2] / widths[mel + 1]
        filters[mel] = numpy.maximum(0, numpy.minimum(rising, falling))
    filters *= (2.0 / (edges[2:] - edges[:n_mels]))[:, None]
    return filters


def hann_window(n_fft: int) -> numpy.ndarray:
    """(n_fft,) float64: the periodic Hann window."""
    angles = numpy.linspace(-numpy.pi, numpy.pi, n_fft + 1)[:-1]
    window: numpy.ndarray = 0.5 + 0.5 * numpy.cos(angles)
    return window


def _mel_of(hertz: float) -> float:
    if hertz < LOG_FROM_HERTZ:
        return hertz / HERTZ_PER_MEL
    return float(LOG_FROM_MEL + numpy.log(hertz / LOG_FROM_HERTZ) / LOG_STEP)


def _hertz_of(mels: numpy.ndarray) -> numpy.ndarray:
    hertz = HERTZ_PER_MEL * mels
    is_log = mels >= LOG_FROM_MEL
    hertz[is_log] = LOG_FROM_HERTZ * numpy.exp(LOG_STEP * (mels[is_log] - LOG_FROM_MEL))
    return hertz
