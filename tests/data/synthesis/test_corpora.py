"""The synthesised corpora: their names and places are the real ones, and their sounds differ as they should."""

import csv
import hashlib
import re
from pathlib import Path

import librosa
import numpy
import pytest
import soundfile

from emokit.data.synthesis.corpora import CORPORA, write_corpus
from emokit.errors import UsageError

SMALL = 0.2

SOUND_NAMES = {
    "crema_d": r"AudioWAV/10\d\d_(IEO_(ANG|DIS|FEA|HAP|SAD)_(LO|MD|HI)|[A-Z]{3}_(ANG|DIS|FEA|HAP|NEU|SAD)_XX)\.wav",
    "emodb": r"wav/(03|08|09|1[0-6])[ab](0[1-57-9]|10)[WLEAFTN][a-f]\.wav",
    "esd": r"Emotion Speech Dataset/(00(?:1[1-9]|20))/(Neutral|Angry|Happy|Sad|Surprise)/\1_00[01]\d{3}\.wav",
    "jl_corpus": r"Raw JL corpus \(unchecked and unannotated\)/JL\(wav\+txt\)/(fe)?male[12]_[a-z]+_\d\d?[ab]_[12]\.wav",
    "meld": r"(train_splits|dev_splits_complete|output_repeated_splits_test)/dia\d+_utt\d+\.wav",
    "ravdess": r"Actor_(0[1-8])/03-01-(01-01|0[2-8]-0[12])-0[12]-0[12]-\1\.wav",
    "savee": r"ALL/(DC|JE|JK|KL)_(a|d|f|h|n|sa|su)[0-3]\d\.wav",
    "tess": r"(OAF|YAF)_[A-Za-z_]+/\1_[a-z]+_(angry|disgust|fear|happy|neutral|ps|sad)\.wav",
}

# What stands for speaker and emotion in a path, and how many of each there are.
SPEAKERS_AND_EMOTIONS = {
    "crema_d": (r"/(?P<speaker>\d{4})_..._(?P<emotion>...)", 10, 6),
    "emodb": (r"/(?P<speaker>..)...(?P<emotion>.)", 8, 7),
    "esd": (r"/(?P<speaker>\d{4})/(?P<emotion>\w+)/", 6, 5),
    "jl_corpus": (r"/(?P<speaker>(?:fe)?male\d)_(?P<emotion>[a-z]+)_", 4, 10),
    "ravdess": (r"-(?P<emotion>\d\d)-\d\d-\d\d-\d\d-(?P<speaker>\d\d)\.", 8, 8),
    "savee": (r"/(?P<speaker>[A-Z]{2})_(?P<emotion>[a-z]+)", 4, 7),
    "tess": (r"/(?P<speaker>[OY]AF)_[a-z]+_(?P<emotion>[a-z]+)\.", 2, 7),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every corpus, small."""
    folder = tmp_path_factory.mktemp("synth")
    for name in CORPORA:
        write_corpus(name, folder / name, seed=0, size=SMALL)
    return folder


def sounds(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*.wav"))


def digest(root: Path) -> dict[str, str]:
    files = [path for path in sorted(root.rglob("*")) if path.is_file()]
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_nine_corpora_can_be_written() -> None:
    assert CORPORA == ("crema_d", "emodb", "esd", "jl_corpus", "meld", "ravdess", "savee", "tess", "goemotions")


@pytest.mark.parametrize("name", SOUND_NAMES)
def test_every_sound_has_a_name_and_a_place_of_the_real_corpus(folder: Path, name: str) -> None:
    found = sounds(folder / name)
    assert found
    assert [path for path in found if not re.fullmatch(SOUND_NAMES[name], path)] == []


@pytest.mark.parametrize("name", SPEAKERS_AND_EMOTIONS)
def test_every_speaker_says_something_in_every_emotion(folder: Path, name: str) -> None:
    pattern, num_speakers, num_emotions = SPEAKERS_AND_EMOTIONS[name]
    pairs = {
        (match["speaker"], match["emotion"]) for path in sounds(folder / name) for match in re.finditer(pattern, path)
    }
    assert len({speaker for speaker, _ in pairs}) == num_speakers
    assert len({emotion for _, emotion in pairs}) == num_emotions
    assert len(pairs) == num_speakers * num_emotions


def test_sounds_are_16_bit_neither_silent_nor_clipped_and_last_half_a_second_to_four(folder: Path) -> None:
    for path in sorted(folder.rglob("*.wav")):
        waveform, sample_rate = soundfile.read(path, dtype="int16", always_2d=True)
        peak = numpy.abs(waveform.astype(int)).max() / 32768
        # -40 dBFS is soft speech; -3 dBFS is 0.708.
        assert 0.01 < peak < 0.708, path
        assert 0.5 < len(waveform) / sample_rate < 4, path
        assert soundfile.info(path).subtype == "PCM_16", path


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_sounds(folder: Path, tmp_path: Path) -> None:
    for name in ("savee", "meld", "goemotions"):
        write_corpus(name, tmp_path / name, seed=0, size=SMALL)
        assert digest(tmp_path / name) == digest(folder / name)
    write_corpus("savee", tmp_path / "other", seed=1, size=SMALL)
    first, other = digest(folder / "savee"), digest(tmp_path / "other")
    assert first.keys() == other.keys()
    assert first.pop("SYNTHESISED.txt") == other.pop("SYNTHESISED.txt")
    assert not set(first.values()) & set(other.values())


def test_every_corpus_says_at_its_root_that_it_was_synthesised(folder: Path) -> None:
    for name in CORPORA:
        assert (folder / name / "SYNTHESISED.txt").read_text(encoding="utf-8") == (
            f"Everything in this folder was synthesised by emokit in the layout of {name}: "
            "nobody's voice or words are in it, and a score on it says nothing about the real corpus.\n"
        )


def test_no_two_sounds_are_the_same(folder: Path) -> None:
    for name in SOUND_NAMES:
        digests = [value for path, value in digest(folder / name).items() if path.endswith(".wav")]
        assert len(set(digests)) == len(digests), name


def test_size_scales_the_takes_up_to_what_the_real_corpus_has_names_for(tmp_path: Path) -> None:
    write_corpus("savee", tmp_path / "two", size=0.25)
    # Two takes of six emotions, four of neutral, by four speakers.
    assert len(sounds(tmp_path / "two")) == 4 * (6 * 2 + 4)


def test_ravdess_is_at_22050_hz_and_two_of_its_files_are_stereo(folder: Path) -> None:
    infos = [soundfile.info(path) for path in (folder / "ravdess").rglob("*.wav")]
    assert {info.samplerate for info in infos} == {22_050}
    assert sorted(info.channels for info in infos)[-3:] == [1, 2, 2]


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


def test_crema_d_has_its_three_tables_and_a_vote_for_every_clip(folder: Path) -> None:
    root = folder / "crema_d"
    stems = {Path(path).stem for path in sounds(root)}
    votes = table(root / "processedResults" / "summaryTable.csv")
    expected = ["", "FileName", "VoiceVote", "VoiceLevel", "FaceVote", "FaceLevel", "MultiModalVote", "MultiModalLevel"]
    assert list(votes[0]) == expected
    assert {row["FileName"] for row in votes} == stems
    assert all(re.fullmatch(r"[ADFHNS](:[ADFHNS])?", row["VoiceVote"]) for row in votes)
    assert {row["Filename"] for row in table(root / "SentenceFilenames.csv")} == stems
    actors = table(root / "VideoDemographics.csv")
    assert list(actors[0]) == ["ActorID", "Age", "Sex", "Race", "Ethnicity"]
    assert {row["ActorID"] for row in actors} == {stem[:4] for stem in stems}


def test_esd_has_a_transcript_in_the_encoding_of_its_speaker_and_sentences_of_all_three_splits(folder: Path) -> None:
    root = folder / "esd" / "Emotion Speech Dataset"
    encodings = {
        "0011": "utf-8",
        "0013": "utf-16",
        "0015": "utf-8",
        "0016": "latin-1",
        "0018": "utf-16",
        "0020": "utf-8",
    }
    for speaker, encoding in encodings.items():
        lines = (root / speaker / f"{speaker}.txt").read_bytes().decode(encoding).splitlines()
        rows = [line.split("\t") for line in lines]
        assert {stem for stem, _, _ in rows} == {path.stem for path in (root / speaker).rglob("*.wav")}
        for stem, text, emotion in rows:
            assert text.endswith(".")
            assert (root / speaker / emotion / f"{stem}.wav").exists()
        sentences = {(int(stem[5:]) - 1) % 350 + 1 for stem, _, _ in rows}
        assert sentences == {1, 21, 51, 101, 201}


def test_jl_has_a_sentence_in_a_text_file_beside_every_sound(folder: Path) -> None:
    for path in (folder / "jl_corpus").rglob("*.wav"):
        assert path.with_suffix(".txt").read_text(encoding="utf-8").endswith(".\n")


def test_meld_has_a_row_for_every_clip_and_a_clip_for_every_row(folder: Path) -> None:
    clips = {"train": "train_splits", "dev": "dev_splits_complete", "test": "output_repeated_splits_test"}
    columns = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime"
    for split, clip_folder in clips.items():
        path = folder / "meld" / f"{split}_sent_emo.csv"
        assert path.read_bytes().startswith(f"{columns}\r\n".encode())
        rows = table(path)
        expected = {f"dia{row['Dialogue_ID']}_utt{row['Utterance_ID']}" for row in rows}
        assert len(expected) == len(rows)
        assert expected == {clip.stem for clip in (folder / "meld" / clip_folder).iterdir()}
        assert {row["Emotion"] for row in rows} == {"neutral", "joy", "surprise", "anger", "sadness", "disgust", "fear"}
        assert {row["Sentiment"] for row in rows} == {"neutral", "positive", "negative"}
        assert all(re.fullmatch(r"\d\d:\d\d:\d\d,\d{3}", row["StartTime"]) for row in rows)


def test_an_unknown_name_says_what_could_be_meant(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        write_corpus("iemocap", tmp_path / "x")
    assert str(raised.value) == (
        "'iemocap' is no corpus that emokit can synthesise; expected one of "
        "crema_d, emodb, esd, jl_corpus, meld, ravdess, savee, tess, goemotions."
    )


def test_a_folder_that_holds_something_is_left_as_it_is(tmp_path: Path) -> None:
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


@pytest.mark.parametrize(("size", "seed"), [(0.0, 0), (-1.0, 0), (1.0, -1)])
def test_a_size_or_seed_out_of_range_is_refused(tmp_path: Path, size: float, seed: int) -> None:
    with pytest.raises(UsageError) as raised:
        write_corpus("emodb", tmp_path / "x", seed=seed, size=size)
    assert str(raised.value) == f"Found size {size} and seed {seed}; give a size above 0 and a seed of 0 or more."
    assert not (tmp_path / "x").exists()
