"""Find a corpus's files below its root, in spite of nested copies, leftovers of other programs and unknown names."""

import re
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path, PurePosixPath

from emokit.data.sources.duplicates import COPY, left_out
from emokit.data.sources.tree import Dropped, Skipped, walk

# The endings of the formats and containers with audio that libsndfile and FFmpeg read.
ENDINGS = """
3g2 3gp aac ac3 aif aifc aiff amr ape asf au avi caf dts eac3 f4v flac flv gsm m2a m2ts m4a m4b m4r m4v mka mkv mov mp2 mp3 mp4
mpa mpc mpeg mpg mpga mts nist oga ogg ogv opus ra rf64 rm rmvb sf shn snd sph spx tak ts tta vob voc w64 wav wave weba webm
wma wmv wv
"""
AUDIO_SUFFIXES = frozenset(f".{ending}" for ending in ENDINGS.split())

UNKNOWN_NAME = "unknown file name"
NOT_AUDIO = "no ending of an audio or video file"


def files(
    root: Path, suffixes: frozenset[str] = AUDIO_SUFFIXES, skipped: list[Skipped] | None = None
) -> Iterator[PurePosixPath]:
    """Every file below `root` with one of the suffixes (any case), relative to it, by depth and then by name.

    Args:
        root: the folder; links in it are followed.
        suffixes: the endings of the files wanted.
        skipped: all else is added to this list, with the reason.

    Raises:
        DataError: a folder cannot be read.
    """
    endings = tuple(suffixes)
    paths = []
    for path, entry in walk(root, skipped):
        if entry.name.lower().endswith(endings):
            paths.append(path)
        elif skipped is not None:
            skipped.append(Skipped(path, NOT_AUDIO))
    yield from map(PurePosixPath, sorted(paths, key=lambda path: (path.count("/"), path)))


def matches(
    root: Path,
    pattern: re.Pattern[str],
    suffixes: frozenset[str] = AUDIO_SUFFIXES,
    key: Callable[[re.Match[str]], Hashable] = re.Match.group,
    renamed: str = COPY,
) -> Iterator[tuple[PurePosixPath, re.Match[str]] | Dropped]:
    """Every file whose complete stem matches the pattern, one per utterance; all other files as `Dropped`.

    Args:
        root: of the corpus.
        pattern: of the stems of its files.
        suffixes: their endings.
        key: identifies the utterance of a matching stem; by default, the stem does. Of several files of an utterance (a
            download that contains its tree twice), `duplicates.left_out` says which one is taken.
        renamed: the reason for a copy under another stem.
    """
    listed = [(path, pattern.fullmatch(path.stem)) for path in files(root, suffixes)]
    dropped = left_out(root, ((key(match), path) for path, match in listed if match), renamed=renamed)
    for path, match in listed:
        if match is None:
            yield Dropped(path.as_posix(), UNKNOWN_NAME)
        elif path in dropped:
            yield dropped[path]
        else:
            yield path, match
