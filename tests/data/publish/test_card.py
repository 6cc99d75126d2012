"""The card of a data set, parsed by huggingface_hub."""

from huggingface_hub import DatasetCard

from emokit.data.prepared import Prepared
from emokit.data.publish.card import data_set_card


def test_hugging_face_reads_the_metadata(calls: Prepared) -> None:
    text = data_set_card(calls, "ann/calls", has_audio=True)
    data = DatasetCard(text).data
    assert (data.license, data.license_name, data.language) == ("other", "see-below", ["de"])
    assert data.task_categories == ["audio-classification"]
    assert [entry["split"] for entry in data.configs[0]["data_files"]] == ["train", "validation", "test"]
    assert (
        "| Label | train | validation | test |\n| --- | --- | --- | --- |\n| joy | 3 | 3 | 3 |\n| anger | 3 | 3 | 3 |\n"
        in text
    )
    assert "emokit prepare mine=hf:ann/calls --labels joy,anger,fear" in text
    assert str(calls.folder) not in text


def test_one_open_licence_is_named_as_the_hub_names_it(two_corpora: Prepared) -> None:
    assert DatasetCard(data_set_card(two_corpora, "ann/x", has_audio=True)).data.license == "other"
    entries = {name: {**entry, "licence": "CC BY 4.0"} for name, entry in two_corpora.ledger["corpora"].items()}
    open_data = Prepared(
        two_corpora.folder, two_corpora.table, {"corpora": entries}, two_corpora.fingerprint, two_corpora.labels
    )
    assert DatasetCard(data_set_card(open_data, "ann/x", has_audio=True)).data.license == "cc-by-4.0"
