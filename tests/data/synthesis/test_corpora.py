"""Synthesised corpora: the names and layouts of the real ones, and distinct audio."""

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import librosa
import numpy
import pytest
import soundfile

from emokit.data.plan import Plan
from emokit.data.prepare import prepare
from emokit.data.synthesis.corpora import CORPORA, LAYOUTS, write_corpus
from emokit.errors import UsageError

AUDIO_PATHS = {
    "crema_d": r"AudioWAV/10\d\d_(IEO_(ANG|DIS|FEA|HAP|SAD)_(LO|MD|HI)|[A-Z]{3}_(ANG|DIS|FEA|HAP|NEU|SAD)_XX)\.wav",
    "emodb": r"wav/(03|08|09|1[0-6])[ab](0[1-57-9]|10)[WLEAFTN][a-f]\.wav",
    "esd": r"Emotion Speech Dataset/(00(?:1[1-9]|20))/(Neutral|Angry|Happy|Sad|Surprise)/\1_00[01]\d{3}\.wav",
    "iemocap": r"Session([1-5])/sentences/wav/(Ses0\1[FM]_impro\d\d)/\2_[FM]\d{3}\.wav",
    "jl_corpus": r"Raw JL corpus \(unchecked and unannotated\)/JL\(wav\+txt\)/(fe)?male[12]_[a-z]+_\d\d?[ab]_[12]\.wav",
    "meld": r"(train_splits|dev_splits_complete|output_repeated_splits_test)/dia\d+_utt\d+\.wav",
    "msp_podcast": r"Audios/MSP-PODCAST_\d{4}_\d{4}\.wav",
    "ravdess": r"Actor_(0[1-8])/03-01-(01-01|0[2-8]-0[12])-0[12]-0[12]-\1\.wav",
    "savee": r"ALL/(DC|JE|JK|KL)_(a|d|f|h|n|sa|su)[0-3]\d\.wav",
    "tess": r"(OAF|YAF)_[A-Za-z_]+/\1_[a-z]+_(angry|disgust|fear|happy|neutral|ps|sad)\.wav",
}

# Pattern of speaker and emotion in a path, and the number of each.
SPEAKERS_AND_EMOTIONS = {
    "crema_d": (r"/(?P<speaker>\d{4})_..._(?P<emotion>...)", 10, 6),
    "emodb": (r"/(?P<speaker>..)...(?P<emotion>.)", 8, 7),
    "esd": (r"/(?P<speaker>\d{4})/(?P<emotion>\w+)/", 6, 5),
    "jl_corpus": (r"/(?P<speaker>(?:fe)?male\d)_(?P<emotion>[a-z]+)_", 4, 10),
    "ravdess": (r"-(?P<emotion>\d\d)-\d\d-\d\d-\d\d-(?P<speaker>\d\d)\.", 8, 8),
    "savee": (r"/(?P<speaker>[A-Z]{2})_(?P<emotion>[a-z]+)", 4, 7),
    "tess": (r"/(?P<speaker>[OY]AF)_[a-z]+_(?P<emotion>[a-z]+)\.", 2, 7),
}


def audio_paths(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*.wav"))


def digest(root: Path) -> dict[str, str]:
    files = [path for path in sorted(root.rglob("*")) if path.is_file()]
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_demo_has_all_layouts_but_two() -> None:
    assert (
        CORPORA
        == tuple(LAYOUTS)[:-2]
        == ("crema_d", "emodb", "esd", "jl_corpus", "meld", "ravdess", "savee", "tess", "goemotions")
    )


@pytest.mark.parametrize("name", AUDIO_PATHS)
def test_every_audio_file_has_a_path_of_the_real_corpus(synthesised: Path, name: str) -> None:
    paths = audio_paths(synthesised / name)
    assert paths
    assert [path for path in paths if not re.fullmatch(AUDIO_PATHS[name], path)] == []


@pytest.mark.parametrize("name", SPEAKERS_AND_EMOTIONS)
def test_every_speaker_has_an_utterance_in_every_emotion(synthesised: Path, name: str) -> None:
    pattern, num_speakers, num_emotions = SPEAKERS_AND_EMOTIONS[name]
    pairs = {
        (match["speaker"], match["emotion"])
        for path in audio_paths(synthesised / name)
        for match in re.finditer(pattern, path)
    }
    assert len({speaker for speaker, _ in pairs}) == num_speakers
    assert len({emotion for _, emotion in pairs}) == num_emotions
    assert len(pairs) == num_speakers * num_emotions


def test_audio_is_16_bit_neither_silent_nor_clipped_and_lasts_half_a_second_to_four(synthesised: Path) -> None:
    for path in sorted(synthesised.rglob("*.wav")):
        waveform, sample_rate = soundfile.read(path, dtype="int16", always_2d=True)
        peak = numpy.abs(waveform.astype(int)).max() / 32768
        # -40 dBFS is soft speech; -3 dBFS is 0.708.
        assert 0.01 < peak < 0.708, path
        assert 0.5 < len(waveform) / sample_rate < 4, path
        assert soundfile.info(path).subtype == "PCM_16", path


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_audio(synthesised: Path, tmp_path: Path) -> None:
    for name in ("savee", "meld", "goemotions"):
        write_corpus(name, tmp_path / name, seed=0, size=0.2)
        assert digest(tmp_path / name) == digest(synthesised / name)
    write_corpus("savee", tmp_path / "other", seed=1, size=0.2)
    first, other = digest(synthesised / "savee"), digest(tmp_path / "other")
    assert first.keys() == other.keys()
    assert first.pop("SYNTHESISED.txt") == other.pop("SYNTHESISED.txt")
    assert not set(first.values()) & set(other.values())


def test_every_corpus_has_a_notice_that_it_was_synthesised(synthesised: Path) -> None:
    for name in CORPORA:
        assert (synthesised / name / "SYNTHESISED.txt").read_text(encoding="utf-8") == (
            f"Everything in this folder was synthesised by emokit in the layout of {name}: "
            "it contains no real voice or text, and a score on it says nothing about the real corpus.\n"
        )


def test_no_two_audio_files_are_the_same(synthesised: Path) -> None:
    for name in AUDIO_PATHS:
        digests = [value for path, value in digest(synthesised / name).items() if path.endswith(".wav")]
        assert len(set(digests)) == len(digests), name


def test_anger_is_higher_and_louder_than_sadness_by_the_same_speaker(tmp_path: Path) -> None:
    write_corpus("savee", tmp_path / "savee", size=0.75)

    def measured(code: str) -> tuple[float, float]:
        pitches, levels = [], []
        for path in sorted((tmp_path / "savee" / "ALL").glob(f"JE_{code}*.wav")):
            waveform, sample_rate = soundfile.read(path)
            loudness = librosa.feature.rms(y=waveform, frame_length=1024, hop_length=256)[0]
            pitch = librosa.yin(waveform, fmin=60, fmax=400, sr=sample_rate, frame_length=1024)
            pitches.append(numpy.median(pitch[loudness > loudness.max() / 4]))
            levels.append(20 * numpy.log10(loudness.max()))
        return float(numpy.median(pitches)), float(numpy.mean(levels))

    angry_pitch, angry_level = measured("a")
    sad_pitch, sad_level = measured("sa")
    assert angry_pitch > 1.1 * sad_pitch
    assert angry_level > sad_level + 3


def test_an_unknown_name_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        write_corpus("mosei", tmp_path / "x")
    assert str(raised.value) == (
        "'mosei' is no corpus that emokit can synthesise; expected one of "
        "crema_d, emodb, esd, jl_corpus, meld, ravdess, savee, tess, goemotions, iemocap, msp_podcast."
    )


def test_a_folder_that_is_not_empty_is_not_changed(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError) as raised:
        write_corpus("tess", tmp_path)
    assert str(raised.value) == (
        f"{tmp_path} exists and is not an empty folder; name another one for the synthesised tess."
    )
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    write_corpus("goemotions", tmp_path / "a" / "b", size=0.01)
    (tmp_path / "empty").mkdir()
    write_corpus("goemotions", tmp_path / "empty", size=0.01)
    assert digest(tmp_path / "empty") == digest(tmp_path / "a" / "b")
    assert {path.name for path in tmp_path.iterdir()} == {"a", "empty"}


def test_what_a_killed_process_left_is_removed_and_what_a_running_one_writes_is_not(tmp_path: Path) -> None:
    for name in (".one.999999999.part", f".one.{os.getpid()}.part"):
        (tmp_path / name).mkdir()
    write_corpus("goemotions", tmp_path / "one", size=0.01)
    assert {path.name for path in tmp_path.iterdir()} == {"one", f".one.{os.getpid()}.part"}


@pytest.mark.parametrize(("size", "seed"), [(0.0, 0), (-1.0, 0), (1.0, -1)])
def test_a_size_or_seed_out_of_range_is_refused(tmp_path: Path, size: float, seed: int) -> None:
    with pytest.raises(UsageError) as raised:
        write_corpus("emodb", tmp_path / "x", seed=seed, size=size)
    assert str(raised.value) == f"The size is {size} and the seed {seed}; give a size above 0 and a seed of 0 or more."
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("name", sorted(LAYOUTS.keys() - {"emodb"}))
def test_every_utterance_of_a_synthesised_corpus_is_accounted_for_and_no_recording_shared(
    tmp_path: Path, plan: Callable[..., Plan], extractor: Any, name: str
) -> None:
    write_corpus(name, tmp_path / name, size=0.05)
    prepared = prepare(plan({name: tmp_path / name}), tmp_path / "out", extractor)
    entry = prepared.ledger["corpora"][name]
    assert entry["kept"] == len(prepared.table) > 0
    assert entry["found"] == entry["kept"] + sum(map(len, entry["dropped"].values()))
    assert set(prepared.ledger["leakage"]["recordings"].values()) == {0}
    if name not in ("esd", "meld", "goemotions"):
        assert set(prepared.ledger["leakage"]["speakers"].values()) == {0}
