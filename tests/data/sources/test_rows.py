"""From the utterances of a reader to rows of the table: the label map, unusable audio, and the errors for unusable roots."""

from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
import soundfile

from emokit.data.audio_io.decode import Extractor
from emokit.data.audio_io.faults import ADVICE, LFS_POINTER
from emokit.data.audio_io.reading import Reading
from emokit.data.catalogue import Corpus, read_catalogue
from emokit.data.ledger import Ledger
from emokit.data.plan import Plan
from emokit.data.prepare import prepare
from emokit.data.sources.rows import NOT_READ, labelled, read_source, with_audio
from emokit.data.store import FeatureStore, write_shard
from emokit.data.utterance import Utterance
from emokit.errors import DataError, UsageError
from emokit.labels import LabelSet

MELD_HEADER = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime\n"


def corpus(name: str, root: Path, **changes: object) -> Corpus:
    return read_catalogue()[name].model_copy(update={"root": root, **changes})


def read_labelled(corpus: Corpus, ledger: Ledger) -> list[tuple[Utterance, str]]:
    return list(labelled(corpus, read_source(corpus, ledger), ledger))


def store_of(folder: Path, *readings: Reading) -> FeatureStore:
    write_shard(folder, list(readings))
    return FeatureStore(folder)


def reading(utterance_id: str, **facts: object) -> Reading:
    facts_of_good_audio = {"duration_seconds": 1.0, "sample_rate": 16_000, "num_channels": 1, "recording": utterance_id}
    return Reading(utterance_id, 10, 1, **(facts_of_good_audio | facts))  # type: ignore[arg-type]


def test_raw_labels_are_mapped_and_unmapped_utterances_are_dropped(
    tmp_path: Path, write_emodb: Callable[..., list[Path]]
) -> None:
    write_emodb(tmp_path, speakers=["03"], emotions="WLF")
    (tmp_path / "wav" / "notes.wav").touch()
    ledger = Ledger()
    labels = [(utterance.utterance_id, label) for utterance, label in read_labelled(corpus("emodb", tmp_path), ledger)]
    assert labels == [("emodb/03a01Fa", "happy"), ("emodb/03a01Wa", "angry")]
    assert ledger.dropped == {
        "emodb": {
            "label boredom is left out": ["emodb/03a01La"],
            "unknown file name": ["wav/notes.wav"],
        }
    }


def test_raw_labels_that_the_map_lacks_are_listed_with_an_example_each(
    tmp_path: Path, write_emodb: Callable[..., list[Path]]
) -> None:
    write_emodb(tmp_path, emotions="WFT")
    lacking = corpus("emodb", tmp_path, labels={"anger": "angry"})
    with pytest.raises(DataError) as error:
        read_labelled(lacking, Ledger())
    assert str(error.value) == (
        "emodb has raw labels that its map lacks: happiness (as in emodb/03a01Fa), sadness (as in emodb/03a01Ta); "
        "add them to its labels in a file of your own, given with --datasets."
    )


def test_a_label_map_that_leads_outside_the_label_set_is_refused(
    tmp_path: Path, write_emodb: Callable[..., list[Path]]
) -> None:
    write_emodb(tmp_path)
    with pytest.raises(UsageError) as error:
        read_labelled(corpus("emodb", tmp_path), Ledger(LabelSet(["sad", "angry", "happy"])))
    assert str(error.value) == (
        "emodb maps disgust to disgust, which is not in the label set; "
        "map it to one of sad, angry, happy, or to null to leave it out, with --map disgust=LABEL."
    )


def test_a_row_with_several_labels_counts_if_they_map_to_the_same_one(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("anger\nannoyance\njoy\n")
    (tmp_path / "train.tsv").write_text("Stop it!\t0,1\tone\nWell, well.\t0,2\ttwo\nYes!\t2\tthree\n")
    ledger = Ledger()
    merging = corpus("goemotions", tmp_path, options={"conflicts": "merge-same-group"})
    labels = {utterance.utterance_id: label for utterance, label in read_labelled(merging, ledger)}
    assert labels == {"goemotions/one": "angry", "goemotions/three": "happy"}
    assert ledger.dropped == {"goemotions": {"labels of several classes": ["goemotions/two"]}}
    assert ledger.details == {"goemotions/two": "anger+joy"}


def test_a_corpus_without_a_root_is_refused() -> None:
    with pytest.raises(UsageError) as error:
        read_labelled(read_catalogue()["emodb"], Ledger())
    assert str(error.value) == "emodb has no root; name its folder with --root emodb=DIR."


def test_a_root_with_another_corpus_names_that_corpus(tmp_path: Path, write_emodb: Callable[..., list[Path]]) -> None:
    write_emodb(tmp_path)
    with pytest.raises(DataError) as error:
        read_labelled(corpus("ravdess", tmp_path), Ledger())
    assert str(error.value) == (
        f"ravdess: {tmp_path} holds 9 files, none named like ravdess; "
        f"they are named like emodb: use --root emodb={tmp_path}."
    )


@pytest.mark.parametrize(
    ("name", "content"), [("song.wav", "1 file, none named like savee"), ("readme.txt", "no audio files")]
)
def test_a_root_without_a_corpus_names_the_expected_one(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(DataError) as error:
        read_labelled(corpus("savee", tmp_path), Ledger())
    assert str(error.value) == (
        f"savee: {tmp_path} holds {content}; expected SAVEE, Surrey Audio-Visual Expressed Emotion, 4 Englishmen, "
        "120 sentences each, 7 emotions: correct --root savee."
    )


@pytest.mark.parametrize(
    ("name", "file", "reason"),
    [
        ("esd", "0001/Angry/0001_000351.wav", "Mandarin, which the option languages leaves out"),
        ("meld", "test/dia0_utt0.wav", "test_sent_emo.csv is missing"),
    ],
)
def test_the_error_for_a_root_with_only_dropped_files_has_the_reason(
    tmp_path: Path, name: str, file: str, reason: str
) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).touch()
    with pytest.raises(DataError) as error:
        read_labelled(corpus(name, tmp_path), Ledger())
    assert str(error.value) == (
        f"{name}: {tmp_path} holds nothing that can be used (1 left out: {reason}); "
        f"correct --root {name}, or the options of {name} in a file given with --datasets."
    )


def test_bad_audio_is_dropped_with_its_reason_and_averaged_channels_are_a_repair(
    tmp_path: Path, write_emodb: Callable[..., list[Path]]
) -> None:
    write_emodb(tmp_path / "corpus", speakers=["03"])
    ledger = Ledger()
    emodb = corpus("emodb", tmp_path / "corpus")
    store = store_of(
        tmp_path,
        reading("emodb/03a01Fa", num_channels=2),
        reading("emodb/03a01Na", bad="silent", detail="9 samples"),
        reading("emodb/03a01Wa", duration_seconds=2.5),
    )
    table = with_audio(emodb, read_labelled(emodb, ledger), store, ledger)
    assert list(table["utterance_id"]) == ["emodb/03a01Fa", "emodb/03a01Wa"]
    assert list(table["duration_seconds"]) == [1.0, 2.5]
    assert ledger.dropped == {"emodb": {"silent": ["emodb/03a01Na"]}}
    assert ledger.details == {"emodb/03a01Na": "9 samples"}
    assert ledger.repaired == {"emodb": {"2 channels, averaged": ["emodb/03a01Fa"]}}


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        (LFS_POINTER, f"{ADVICE[LFS_POINTER]}."),
        ("truncated", "download the complete corpus again."),
    ],
)
def test_a_corpus_without_usable_audio_is_refused(
    tmp_path: Path, write_emodb: Callable[..., list[Path]], reason: str, advice: str
) -> None:
    # Utterances with a label that is left out, however many, do not count as unusable.
    write_emodb(tmp_path / "corpus", speakers=["03"], texts=("a01", "a02"), emotions="WL")
    ledger = Ledger()
    emodb = corpus("emodb", tmp_path / "corpus")
    store = store_of(tmp_path, *(reading(f"emodb/03{text}Wa", bad=reason) for text in ("a01", "a02")))
    with pytest.raises(DataError) as error:
        with_audio(emodb, read_labelled(emodb, ledger), store, ledger)
    assert str(error.value) == (
        f"emodb: {tmp_path / 'corpus'} has 2 labelled utterances, none with usable audio ({reason}); {advice}"
    )


def test_a_corpus_with_only_labels_that_are_left_out_is_refused(
    tmp_path: Path, write_emodb: Callable[..., list[Path]]
) -> None:
    write_emodb(tmp_path, emotions="L")
    ledger = Ledger()
    emodb = corpus("emodb", tmp_path)
    with pytest.raises(DataError) as error:
        with_audio(emodb, read_labelled(emodb, ledger), FeatureStore(tmp_path), ledger)
    assert str(error.value) == (
        f"emodb: {tmp_path} holds only labels that are left out; "
        "see the label map with `emokit prepare emodb --show-labels`."
    )


@pytest.mark.parametrize(("policy", "with_path"), [("drop", [0]), ("keep", [0, 1, 2])])
def test_rows_of_meld_with_an_unusable_clip_keep_their_text(tmp_path: Path, policy: str, with_path: list[int]) -> None:
    rows = "".join(f"{n},Line {n}.,Ross,joy,positive,0,{n},1,1,,\n" for n in range(5))
    (tmp_path / "test_sent_emo.csv").write_text(MELD_HEADER + rows)
    (tmp_path / "test").mkdir()
    for turn in range(4):
        soundfile.write(tmp_path / "test" / f"dia0_utt{turn}.wav", numpy.ones(10), 16_000)
    options = read_catalogue()["meld"].options | {"bad_clips": policy}
    meld, ledger = corpus("meld", tmp_path, options=options), Ledger()
    store = store_of(
        tmp_path,
        reading("meld/test/dia0_utt0", duration_seconds=2.0),
        reading("meld/test/dia0_utt1", duration_seconds=0.064),
        reading("meld/test/dia0_utt2", duration_seconds=305.0),
        reading("meld/test/dia0_utt3", bad="undecodable", detail="no decoder knows it"),
    )
    table = with_audio(meld, read_labelled(meld, ledger), store, ledger)
    assert list(table["text"]) == [f"Line {n}." for n in range(5)]
    assert ledger.details == {"meld/test/dia0_utt3": "no decoder knows it"}
    assert list(table.index[table["path"].notna()]) == with_path
    assert table["recording"].notna().tolist() == table["path"].notna().tolist()
    flags = {
        "no clip": ["meld/test/dia0_utt4"],
        "text only, its clip is undecodable": ["meld/test/dia0_utt3"],
    }
    if policy == "drop":
        flags |= {
            "text only, its clip is shorter than 0.1 s": ["meld/test/dia0_utt1"],
            "text only, its clip is longer than 30 s": ["meld/test/dia0_utt2"],
        }
    assert ledger.flagged == {"meld": flags}
    assert not ledger.dropped["meld"]


def test_copies_in_another_format_do_not_count_as_recognised(tmp_path: Path) -> None:
    for name in ("AudioWAV/1001_DFA_ANG_XX.wav", "AudioMP3/1001_DFA_ANG_XX.mp3", "AudioMP3/1001_DFA_DIS_XX.mp3"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    ledger = Ledger()
    corpus = read_catalogue()["crema_d"].model_copy(update={"root": tmp_path})
    assert len(read_labelled(corpus, ledger)) == 1
    assert ledger.recognised == {"crema_d": 1}
    assert sum(len(names) for names in ledger.dropped["crema_d"].values()) == 2


def test_what_a_reader_does_not_use_is_skipped_with_a_reason(
    tmp_path: Path, write_emodb: Callable[..., list[Path]]
) -> None:
    write_emodb(tmp_path, speakers=["03"])
    for name in ("SYNTHESISED.txt", ".completed", "wav/readme.txt", "wav/.hidden.wav", "other.wav"):
        (tmp_path / name).touch()
    ledger = Ledger()
    assert len(read_labelled(corpus("emodb", tmp_path), ledger)) == 3
    assert ledger.skipped == {
        "emodb": {"hidden": ["wav/.hidden.wav"], "neither audio nor annotations of the corpus": ["wav/readme.txt"]}
    }
    assert ledger.dropped == {"emodb": {"unknown file name": ["other.wav"]}}


def test_annotations_that_a_reader_uses_are_not_skipped(tmp_path: Path) -> None:
    for name in ("AudioWAV/1001_DFA_ANG_XX.wav", "VideoDemographics.csv", "SentenceFilenames.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "goemotions").mkdir()
    (tmp_path / "goemotions" / "train.tsv").write_text("Yes!\t17\tone\n")
    for name in ("labels.txt", "readme.md"):
        (tmp_path / "goemotions" / name).write_text("\n".join(["joy"] * 28))
    ledger = Ledger()
    for name, root in (("goemotions", tmp_path / "goemotions"), ("crema_d", tmp_path)):
        read_labelled(corpus(name, root), ledger)
    assert ledger.skipped["goemotions"] == {NOT_READ: ["readme.md"]}
    assert "SentenceFilenames.csv" in ledger.skipped["crema_d"][NOT_READ]
    assert "VideoDemographics.csv" not in ledger.skipped["crema_d"][NOT_READ]


def test_odd_audio_is_flagged_or_repaired_or_dropped_with_its_numbers(
    tmp_path: Path, plan: Callable[..., Plan], extractor: Extractor, write_emodb: Callable[..., list[Path]]
) -> None:
    loud, huge, stream, cut, *_ = write_emodb(tmp_path / "emodb")
    samples = numpy.random.default_rng(0).uniform(-0.5, 0.5, 3_200)
    soundfile.write(loud, samples * 32_767, 16_000, subtype="FLOAT")
    soundfile.write(huge, samples * 1e20, 16_000, subtype="FLOAT")
    content = bytearray(stream.read_bytes())
    content[40:44] = b"\xff" * 4
    stream.write_bytes(content)
    soundfile.write(cut, samples, 16_000, format="AIFF")
    cut.write_bytes(cut.read_bytes()[:4_000])
    prepared = prepare(plan({"emodb": tmp_path / "emodb"}), tmp_path / "out", extractor)
    entry, details = prepared.ledger["corpora"]["emodb"], prepared.ledger["details"]
    repaired = "floats of 16-bit scale, repaired by dividing them by 32768"
    assert entry["repaired"] == {repaired: [f"emodb/{loud.stem}"]}
    assert entry["flagged"] == {"its end cannot be checked": [f"emodb/{stream.stem}"]}
    assert entry["dropped"] == {
        "far above full scale": [f"emodb/{huge.stem}"],
        "truncated": [f"emodb/{cut.stem}"],
    }
    assert details[f"emodb/{huge.stem}"] == "peak 5e+19 of full scale"
    assert details[f"emodb/{loud.stem}"].startswith("peak 16")
    assert details[f"emodb/{stream.stem}"] == "its header states no length"
    assert prepared.table.set_index("utterance_id")["flags"][f"emodb/{loud.stem}"].tolist() == [repaired]
