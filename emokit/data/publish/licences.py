"""Whose data may be published: a user's own, and the corpora whose licences let everybody pass them on."""

from emokit.data.catalogue import SYNTHESISED_LICENCE, read_catalogue
from emokit.data.prepared import Prepared
from emokit.errors import UsageError

# Licence, as in datasets.yaml -> its id on the hub. They allow to pass on data that were changed, for any purpose.
OPEN = {"CC0 1.0": "cc0-1.0", "CC BY 4.0": "cc-by-4.0", "ODbL 1.0": "odbl"}


def check_publishable(prepared: Prepared) -> None:
    """Refuse a prepared folder with a corpus whose licence does not let everybody publish it; own data are the user's concern.

    Raises:
        UsageError: names the first such corpus and its licence.
    """
    known = read_catalogue()
    for name in prepared.table["corpus"].unique():
        licence = licence_of(prepared, name)
        if name in known and licence not in (*OPEN, SYNTHESISED_LICENCE):
            raise UsageError(
                f"{prepared.folder} has the corpus {name}, whose licence ({licence}) does not let you publish it again; "
                "prepare the others alone and push them, or push a run, which has no recordings."
            )


def licence_of(prepared: Prepared, corpus: str) -> str:
    """The licence of a corpus, as the ledger of a prepared folder states it."""
    return str(prepared.ledger["corpora"].get(corpus, {}).get("licence") or "not stated")
