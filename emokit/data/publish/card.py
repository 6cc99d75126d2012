"""The README.md of a data set on the hub, with the metadata that the hub reads from it."""

from collections.abc import Sequence

from emokit.data.prepared import Prepared
from emokit.data.publish.data_set import SPLIT_NAMES
from emokit.data.publish.licences import OPEN, licence_of
from emokit.safe_text import escape_controls


def data_set_card(prepared: Prepared, name: str, *, has_audio: bool) -> str:
    """The text of the card.

    Args:
        prepared: what is uploaded.
        name: USER/NAME.
        has_audio: whether it has recordings.
    """
    from huggingface_hub import DatasetCardData

    table = prepared.table
    splits = [split for split in SPLIT_NAMES if (table["split"] == split).any()]
    corpora = list(table["corpus"].unique())
    licences = {licence_of(prepared, corpus) for corpus in corpora}
    hub_licences = {OPEN.get(licence) for licence in licences}
    licence = hub_licences.pop() if len(hub_licences) == 1 else None
    head = DatasetCardData(
        language=sorted(table["language"].dropna().unique()) or None,
        license=licence or "other",
        license_name=None if licence else "see-below",
        pretty_name=name.partition("/")[2],
        task_categories=["audio-classification" if has_audio else "text-classification"],
        tags=["emokit", "emotion-recognition"],
        configs=[
            {
                "config_name": "default",
                "data_files": [
                    {"split": SPLIT_NAMES[split], "path": f"data/{SPLIT_NAMES[split]}-*"} for split in splits
                ],
            }
        ],
    )
    by_corpus = [
        [
            corpus,
            licence_of(prepared, corpus),
            *((table["split"] == split)[table["corpus"] == corpus].sum() for split in splits),
        ]
        for corpus in corpora
    ]
    by_label = [
        [label, *((table["split"] == split)[table["label"] == label].sum() for split in splits)]
        for label in prepared.labels
    ]
    columns = [SPLIT_NAMES[split] for split in splits]
    return "\n\n".join(
        [
            f"---\n{head.to_yaml()}\n---",
            f"# {_plain(name.partition('/')[2])}",
            f"{len(table)} utterances with one of {len(prepared.labels)} labels of emotions, prepared by emokit. "
            "A label is what annotators gave or an actor was asked for, not what a person felt.",
            _table(["Corpus", "Licence", *columns], by_corpus),
            _table(["Label", *columns], by_label),
            "## How to use it\n\n"
            f"    emokit prepare mine=hf:{name} --labels {','.join(prepared.labels)}\n\n"
            "    from datasets import load_dataset\n\n"
            f'    data = load_dataset("{name}")',
        ]
    ) + "\n"  # fmt: skip


def _table(header: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_plain(cell) for cell in line) + " |" for line in lines)


def _plain(value: object) -> str:
    text = escape_controls(" ".join(str(value).split())).replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{character}" if character in "\\`*[]|" else character for character in text)
