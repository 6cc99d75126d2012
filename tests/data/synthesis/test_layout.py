"""The entries of a layout."""

import pytest

from emokit.data.synthesis.layout import num_takes


@pytest.mark.parametrize(("size", "expected"), [(0.01, 1), (0.5, 4), (1.0, 8), (1.3, 10), (100.0, 15)])
def test_the_number_of_takes_scales_between_one_and_the_most(size: float, expected: int) -> None:
    assert num_takes(size, ordinary=8, most=15) == expected
