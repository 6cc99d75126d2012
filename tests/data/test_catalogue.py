"""The content of datasets.yaml, and a user's changes to it."""

from collections import Counter
from pathlib import Path

import pytest

from emokit.data.catalogue import OWN_READERS, Corpus, own_corpus, read_catalogue, with_roots
from emokit.data.sources.corpora import emodb, ravdess, savee, tess
from emokit.errors import DataError, UsageError
from emokit.files import resource
from emokit.labels import DEFAULT_LABELS

NAMES = [
    "crema_d", "emodb", "esd", "iemocap", "jl_corpus", "meld", "msp_podcast", "ravdess", "savee", "tess", "goemotions",
]  # fmt: skip


@pytest.fixture
def user_file(tmp_path: Path) -> Path:
    return tmp_path / "user.yaml"


def test_the_eleven_corpora_are_in_their_order() -> None:
    catalogue = read_catalogue()
    assert list(catalogue) == NAMES
    assert [corpus.name for corpus in catalogue.values()] == NAMES
    assert all(corpus.root is None for corpus in catalogue.values())


def test_the_sizes_are_those_of_the_papers() -> None:
    expected = {name: corpus.expected for name, corpus in read_catalogue().items()}
    assert expected == dict(
        zip(NAMES, (7442, 535, 17500, 10039, 2400, 13708, 264705, 1440, 480, 2800, 54263), strict=True)
    )


def test_every_raw_label_of_the_acted_corpora_is_mapped_and_no_other() -> None:
    catalogue = read_catalogue()
    assert set(catalogue["emodb"].labels) == set(emodb.EMOTIONS.values())
    assert set(catalogue["ravdess"].labels) == set(ravdess.EMOTIONS.values())
    assert set(catalogue["savee"].labels) == set(savee.EMOTIONS.values())
    assert set(catalogue["tess"].labels) == set(tess.EMOTIONS)


def test_of_the_acted_sentences_only_boredom_and_the_secondary_emotions_are_left_out() -> None:
    left_out = {
        (corpus.name, raw_label)
        for corpus in read_catalogue().values()
        for raw_label, label in corpus.labels.items()
        if label is None and corpus.name not in ("iemocap", "msp_podcast")  # their readers' tests have theirs
    }
    secondary = ("anxious", "apologetic", "assertive", "concerned", "encouraging")
    assert left_out == {("emodb", "boredom"), *(("jl_corpus", raw_label) for raw_label in secondary)}


def test_calm_is_neutral_and_excited_is_happy() -> None:
    catalogue = read_catalogue()
    assert catalogue["ravdess"].labels["calm"] == "neutral"
    assert catalogue["jl_corpus"].labels["excited"] == "happy"
    assert catalogue["tess"].labels["ps"] == "surprise"


def test_goemotions_has_28_emotions_in_the_official_groups() -> None:
    labels = read_catalogue()["goemotions"].labels
    assert Counter(labels.values()) == {
        "angry": 3,
        "disgust": 1,
        "fear": 2,
        "happy": 12,
        "neutral": 1,
        "sad": 5,
        "surprise": 4,
    }


@pytest.mark.corpus
def test_goemotions_map_gives_the_published_class_counts(corpora: Path) -> None:
    labels = read_catalogue()["goemotions"].labels
    words = (corpora / "goemotions" / "labels.txt").read_text(encoding="utf-8").split()
    counts: Counter[str | None] = Counter()
    for line in (corpora / "goemotions" / "train.tsv").read_text(encoding="utf-8").rstrip("\n").split("\n"):
        groups = {labels[words[int(number)]] for number in line.split("\t")[1].split(",")}
        if len(groups) == 1:
            counts[groups.pop()] += 1
    assert counts == {
        "happy": 15216,
        "neutral": 12823,
        "angry": 4293,
        "surprise": 3858,
        "sad": 2326,
        "fear": 541,
        "disgust": 498,
    }


def test_a_users_file_changes_only_the_values_it_names(user_file: Path) -> None:
    user_file.write_text(
        "ravdess:\n  root: /data/ravdess\n  labels:\n    calm: null\nemodb:\n  labels: {boredom: sad}\nsavee:\n"
    )
    shipped, changed = read_catalogue(), read_catalogue(user_file)
    assert changed["ravdess"].root == Path("/data/ravdess")
    assert changed["ravdess"].labels == {**shipped["ravdess"].labels, "calm": None}
    assert changed["emodb"].labels["boredom"] == "sad"
    untouched = [name for name in NAMES if name not in ("ravdess", "emodb")]
    assert [changed[name] for name in untouched] == [shipped[name] for name in untouched]


def test_an_option_can_be_changed(user_file: Path) -> None:
    user_file.write_text("esd: {options: {languages: [en, zh]}, expected: 35000}\n")
    assert read_catalogue(user_file)["esd"].options == {"languages": ["en", "zh"]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("5: {tables: a.csv}", "{user_file} has a corpus named 5, which is no text in YAML; write it in quotes."),
        ("~: {}", "{user_file} has a corpus named None, which is no text in YAML; write it in quotes."),
        ("emobd: {}", "{user_file} has the unknown corpus emobd; did you mean emodb?"),
        ("emodb: {rot: /data}", "{user_file} (corpus emodb) has the unknown key rot; did you mean root?"),
        (
            "emodb: {labels: {bordom: sad}}",
            "{user_file} (corpus emodb), labels, has the unknown key bordom; did you mean boredom?",
        ),
        (
            "esd: {options: {language: [zh]}}",
            "{user_file} (corpus esd), options, has the unknown key language; did you mean languages?",
        ),
        (
            "emodb: {options: {take: a}}",
            "{user_file} (corpus emodb), options, has the unknown key take; it has no keys; leave it out.",
        ),
        (
            "emodb: /data/emodb",
            "{user_file} (corpus emodb) holds '/data/emodb' where a mapping was expected; write it as `key: value` lines.",
        ),
        (
            "emodb: {labels: null}",
            "{user_file} (corpus emodb) has labels: null; write its keys below it, or leave labels out.",
        ),
        ("emodb: {root: 5}", "{user_file} (corpus emodb) has root = 5, but it should be a path."),
        (
            "emodb: {expected: 0}",
            "{user_file} (corpus emodb) has expected = 0, but it should be greater than or equal to 1.",
        ),
    ],
)
def test_a_mistake_in_a_users_file_is_explained(user_file: Path, text: str, words: str) -> None:
    user_file.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_catalogue(user_file)
    assert str(caught.value) == words.format(user_file=user_file)


def test_a_users_file_can_have_entries_of_their_own(user_file: Path, tmp_path: Path) -> None:
    user_file.write_text(
        "calls: {tables: /data/labels.csv, audio_root: /audio, columns: {label: emotion}, labels: {joy: happy, love: null}}\n"
        "notes: {reader: table, tables: [/data/a.csv, /data/b.csv], split: stratified, title: Notes}\n"
        "folders: {reader: class_folders, root: /data/folders}\n"
        "emodb: {split: dev}\n"
    )
    catalogue = read_catalogue(user_file)
    assert list(catalogue) == [*NAMES, "calls", "notes", "folders"]
    assert catalogue["emodb"].split == "dev"
    calls, notes, folders = (catalogue[name] for name in ("calls", "notes", "folders"))
    assert calls.options == {"corpus": "calls", "tables": ["/data/labels.csv"], "columns": {"label": "emotion"}}
    assert (calls.root, calls.labels, calls.split) == (Path("/audio"), {"joy": "happy", "love": None}, "auto")
    assert (notes.root, notes.split, notes.title) == (Path("/data"), "stratified", "Notes")
    assert (folders.reader, folders.root) == ("class_folders", Path("/data/folders"))
    assert [corpus.is_own for corpus in (calls, notes, folders, catalogue["emodb"])] == [True, True, True, False]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("{reader: table}", "has no tables, which its reader needs; add them as tables: [labels.csv]."),
        ("{tables: [1]}", "has no tables, which its reader needs; add them as tables: [labels.csv]."),
        ("{tables: a.csv, audio_root: 5}", "has audio_root = 5, but it should be a path."),
        ("{tables: a.csv, options: 5}", "has options = 5 where `key: value` lines were expected."),
        ("{tables: a.csv, columns: label}", "has columns = 'label' where `key: name` lines were expected."),
        ("{tables: a.csv, spilt: dev}", "has the unknown key spilt; did you mean split?"),
        ("{reader: sql}", f"has reader = 'sql'; expected one of {', '.join(OWN_READERS)}."),
    ],
)
def test_a_mistake_in_an_entry_of_their_own_is_explained(user_file: Path, entry: str, words: str) -> None:
    user_file.write_text(f"calls: {entry}\n")
    with pytest.raises(UsageError) as caught:
        read_catalogue(user_file)
    assert str(caught.value) == f"{user_file} (corpus calls) {words}"


def test_datasets_yaml_uses_only_labels_of_the_default_set() -> None:
    labels = {label for corpus in read_catalogue().values() for label in corpus.labels.values()}
    assert labels == {*DEFAULT_LABELS, None}
    assert resource("datasets.yaml").is_file()


@pytest.fixture
def catalogue() -> dict[str, Corpus]:
    return read_catalogue()


def test_a_root_of_the_command_line_precedes_the_catalogues(catalogue: dict[str, Corpus], tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    catalogue["savee"] = catalogue["savee"].model_copy(update={"root": tmp_path / "one"})
    assert [corpus.root for corpus in with_roots(catalogue, ["savee"])] == [tmp_path / "one"]
    chosen = with_roots(catalogue, ["savee", "emodb", "savee"], [f"savee={tmp_path}/two", f"emodb={tmp_path}/one"])
    assert [(corpus.name, corpus.root) for corpus in chosen] == [
        ("savee", tmp_path / "two"),
        ("emodb", tmp_path / "one"),
    ]
    assert with_roots(catalogue, ["emodb"], [f"emodb={tmp_path}/one/../two"])[0].root == tmp_path / "two"


def test_a_tilde_in_a_root_is_the_home_folder(
    catalogue: dict[str, Corpus], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "emodb").mkdir()
    (tmp_path / "emodb" / "03a01Fa.wav").touch()
    assert with_roots(catalogue, ["emodb"], ["emodb=~/emodb"])[0].root == tmp_path / "emodb"


@pytest.mark.parametrize(
    ("names", "roots", "words"),
    [
        (
            ["ravdes"],
            [],
            "The corpus ravdes is unknown; did you mean ravdess, or name data of your own as ravdes=FILE or ravdes=DIR.",
        ),
        (
            ["emodb"],
            [],
            "The folder of emodb is not known; give it as --root emodb=DIR, or see http://emodb.bilderbar.info.",
        ),
        (
            ["emodb"],
            ["/data"],
            "--root /data was given where NAME=DIR was expected, such as --root emodb=/data/emodb.",
        ),
        (
            ["emodb"],
            ["tess=/data"],
            "--root tess=/data is for none of the named corpora (emodb); name tess as well.",
        ),
        (["emodb"], ["emodb=/a", "emodb=/b"], "--root gives emodb two folders, /a and /b; name one of them."),
    ],
)
def test_a_mistake_in_names_or_roots_is_explained(
    catalogue: dict[str, Corpus], names: list[str], roots: list[str], words: str
) -> None:
    with pytest.raises(UsageError) as caught:
        with_roots(catalogue, names, roots)
    assert str(caught.value) == words


def test_a_missing_or_empty_root_is_explained(catalogue: dict[str, Corpus], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    endings = {
        "absent": "does not exist; name its folder with --root.",
        "file": "is a file; name the folder that it is in.",
        "empty": "is empty; get the corpus at http://emodb.bilderbar.info.",
    }
    for name, ending in endings.items():
        with pytest.raises(DataError) as caught:
            with_roots(catalogue, ["emodb"], [f"emodb={tmp_path / name}"])
        assert str(caught.value) == f"The root of emodb, {tmp_path / name}, {ending}"


def test_a_missing_or_empty_folder_of_own_recordings_is_explained(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name, ending in (
        ("absent", "does not exist; name its folder with --audio-root."),
        ("empty", "is empty; name another folder."),
    ):
        calls = own_corpus("calls", {"tables": "a.csv", "audio_root": tmp_path / name}, "calls")
        with pytest.raises(DataError) as caught:
            with_roots({"calls": calls}, ["calls"])
        assert str(caught.value) == f"The root of calls, {tmp_path / name}, {ending}"


def test_a_root_is_absolute_whatever_way_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "corpora" / "emodb").mkdir(parents=True)
    (tmp_path / "corpora" / "emodb" / "a.wav").touch()
    (tmp_path / "my.yaml").write_text("emodb: {root: corpora/emodb}")
    monkeypatch.chdir(tmp_path)
    for catalogue, given in ((read_catalogue(), ["emodb=corpora/emodb"]), (read_catalogue(Path("my.yaml")), [])):
        [corpus] = with_roots(catalogue, ["emodb"], given)
        assert corpus.root == tmp_path / "corpora" / "emodb"


def test_labels_are_the_text_that_is_written(user_file: Path) -> None:
    user_file.write_text("calls: {tables: a.csv, labels: {no: off, 010: 2024-01-31, 1:30: null}}")
    assert read_catalogue(user_file)["calls"].labels == {"no": "off", "010": "2024-01-31", "1:30": None}
