"""Paths of this computer in what is published."""

from pathlib import Path, PurePosixPath

from emokit.data.publish.local_paths import LocalPaths

HOME = Path("/", "home", "ann")


def test_paths_below_a_folder_become_their_last_names() -> None:
    paths = LocalPaths([HOME, Path("/")], [])
    assert (
        paths.masked(f'"{HOME}/models/wavlm", ({HOME}), {HOME}/a b.wav: /usr/lib')
        == '"wavlm", (ann), a b.wav: /usr/lib'
    )
    assert paths.masked("nothing here/") == "nothing here/"


def test_absolute_paths_in_settings_are_taken_out_wherever_they_occur() -> None:
    model = str(PurePosixPath("/", "data", "my models", "wavlm"))
    paths = LocalPaths([], [{"model": {"name": model, "layers": [1, "/"]}}, None])
    assert paths.masked(f"name: {model}\nother: {model}-large") == "name: wavlm\nother: wavlm-large"


def test_a_file_without_such_paths_is_published_as_it_is(tmp_path: Path) -> None:
    plain, named, weights = tmp_path / "a.json", tmp_path / "b.json", tmp_path / "c.safetensors"
    plain.write_text("{}")
    for file in (named, weights):
        file.write_bytes(f'{{"name": "{HOME}/x"}}'.encode() + b"\xff")
    paths = LocalPaths([HOME])
    assert paths.published(plain) == plain
    assert paths.published(named) == b'{"name": "x"}\xff'
    assert paths.published(weights) == weights
