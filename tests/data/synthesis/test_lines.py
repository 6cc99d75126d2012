"""The invented lines of dialogue and the neutral sentences."""

import numpy

from emokit.data.synthesis.lines import LINES, OPEN_LINES, line, plain_sentence


def test_plain_sentences_are_all_different() -> None:
    assert plain_sentence(0) == "The baker carries the blue lamp."
    assert len({plain_sentence(number) for number in range(343)}) == 343


def test_one_line_in_seven_is_of_any_emotion_and_most_others_have_the_given_one() -> None:
    rng = numpy.random.default_rng(0)
    lines = [line("fear", rng) for _ in range(2000)]
    open_starts = tuple(text.split("{")[0] for text in OPEN_LINES)
    fear_starts = tuple(text.split("{")[0] for text in LINES["fear"])
    assert 0.11 < sum(text.startswith(open_starts) for text in lines) / 2000 < 0.18
    assert 0.74 < sum(text.startswith(fear_starts) for text in lines) / 2000 < 0.84


def test_no_line_has_an_unfilled_placeholder() -> None:
    rng = numpy.random.default_rng(1)
    assert not [text for emotion in LINES for _ in range(200) if "{" in (text := line(emotion, rng))]
