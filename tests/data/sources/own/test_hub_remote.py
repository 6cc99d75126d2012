"""Names and files of data sets on the hub; `tests/end_to_end/test_hub.py` asks a stand-in for the hub."""

import pytest

from emokit.data.sources.own.hub_remote import Remote, parse
from emokit.errors import DataError, UsageError


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("imdb", ("imdb", None, None)), ("ann/x", ("ann/x", None, None)), ("ann/x:de", ("ann/x", "de", None)),
        ("ann/x@v1.0", ("ann/x", None, "v1.0")), ("ann/x:de@refs/pr/1", ("ann/x", "de", "refs/pr/1")),
    ],
)  # fmt: skip
def test_a_name_has_a_configuration_and_a_revision(source: str, parts: tuple[str | None, ...]) -> None:
    assert parse(source) == parts


@pytest.mark.parametrize("source", ["", "a/b/c", "./none", "ann/x@", "https://host/x"])
def test_anything_else_is_refused(source: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(source)
    assert str(error.value) == (
        f"hf:{source} is neither a folder nor the name of a data set; expected hf:DIR, hf:USER/NAME, hf:USER/NAME:CONFIG or "
        "hf:USER/NAME@REVISION."
    )


def test_its_own_files_are_those_of_its_commit() -> None:
    remote = Remote("ann/x", "c0ffee")
    assert remote.owns("hf://datasets/ann/x@c0ffee/wav/a.wav")
    assert remote.owns("zip://a.wav::hf://datasets/ann/x@c0ffee/wav.zip")
    for path in (
        "hf://datasets/ann/x@other/a.wav", "hf://datasets/ann/x@c0ffee/../../y@1/a.wav", "file:///etc/hostname",
        "hf://datasets/ann/x@c0ffee/a.zip::file:///etc/hostname",
    ):  # fmt: skip
        assert not remote.owns(path)
        with pytest.raises(DataError) as error:
            remote.download(path)
        assert str(error.value) == (
            f"hf:ann/x names {path} as one of its files, which is no file of it; use another revision."
        )
