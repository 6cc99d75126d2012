"""Which prepared folders may be published."""

from dataclasses import replace

import pytest

from emokit.data.catalogue import read_catalogue
from emokit.data.prepared import Prepared
from emokit.data.publish.licences import OPEN, check_publishable, licence_of
from emokit.errors import UsageError


def with_licence(prepared: Prepared, corpus: str, licence: str) -> Prepared:
    entries = prepared.ledger["corpora"]
    return replace(prepared, ledger={"corpora": {**entries, corpus: {**entries[corpus], "licence": licence}}})


def test_own_data_and_synthesised_corpora_may_be_published(calls: Prepared, two_corpora: Prepared) -> None:
    assert (licence_of(calls, "calls"), licence_of(two_corpora, "emodb")) == ("not stated", "made by emokit")
    check_publishable(calls)
    check_publishable(two_corpora)


def test_known_corpora_may_be_published_under_open_licences_only(two_corpora: Prepared) -> None:
    check_publishable(with_licence(two_corpora, "emodb", "CC BY 4.0"))
    with pytest.raises(UsageError) as error:
        check_publishable(with_licence(two_corpora, "emodb", "free for research"))
    assert str(error.value) == (
        f"{two_corpora.folder} has the corpus emodb, whose licence (free for research) does not let you publish it again; "
        "prepare the others alone and push them, or push a run, which has no recordings."
    )


def test_every_open_licence_is_one_of_the_catalogue() -> None:
    licences = {name: corpus.licence for name, corpus in read_catalogue().items()}
    assert {name for name, licence in licences.items() if licence in OPEN} == {"crema_d", "jl_corpus", "goemotions"}
