"""Every corpus has a module that reads it."""

from emokit.data.catalogue import read_catalogue
from emokit.data.sources.readers import reader_of, walks


def test_every_corpus_of_the_catalogue_has_a_reader() -> None:
    for corpus in read_catalogue().values():
        assert callable(reader_of(corpus).read)
        assert walks(corpus)
