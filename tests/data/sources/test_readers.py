"""Every corpus has a module that reads it."""

from pathlib import Path

from emokit.data.catalogue import OWN_READERS, own_corpus, read_catalogue
from emokit.data.sources.readers import OWN, reader_of, sources, walks


def test_every_corpus_of_the_catalogue_has_a_reader() -> None:
    for corpus in read_catalogue().values():
        assert callable(reader_of(corpus).read)
        assert walks(corpus)


def test_a_corpus_is_read_from_its_root_and_a_table_of_texts_from_the_table_alone(tmp_path: Path) -> None:
    emodb = read_catalogue()["emodb"]
    assert sources(emodb) == []
    assert sources(emodb.model_copy(update={"root": tmp_path})) == [tmp_path]
    (tmp_path / "a.csv").write_text("text,label\nHi,joy\n")
    entry = {"reader": "table", "tables": [str(tmp_path / "a.csv")], "columns": {"text": "text", "label": "label"}}
    assert sources(own_corpus("calls", entry, "calls")) == [tmp_path / "a.csv"]


def test_the_kinds_of_own_data_are_read_by_modules_of_their_own() -> None:
    assert tuple(OWN) == OWN_READERS
    folders = own_corpus("calls", {"reader": "class_folders"}, "calls")
    assert not walks(folders)
