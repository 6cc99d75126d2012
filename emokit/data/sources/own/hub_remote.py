"""Data sets on the Hugging Face hub: which commit of one is read, how large it is, and its files."""

import re
from dataclasses import dataclass
from pathlib import Path

from emokit.errors import DataError, UsageError

NAME = re.compile(
    r"(?P<name>\w[\w.-]*(?:/\w[\w.-]*)?)(?::(?P<config>[\w.+-]+))?(?:@(?P<revision>\w[\w./-]*))?", re.ASCII
)


@dataclass(frozen=True)
class Remote:
    """A data set on the hub.

    Attributes:
        commit: the commit that is read, so that preparing again reads the same data.
        num_bytes: the size of its files.
        licence: as its card states it.
    """

    name: str
    commit: str
    num_bytes: int = 0
    licence: str = ""

    @property
    def address(self) -> str:
        """The beginning of the addresses of its files."""
        return f"hf://datasets/{self.name}@{self.commit}/"

    def owns(self, path: str) -> bool:
        """Whether an address is that of a file of this data set, perhaps inside of an archive of it."""
        return path.rpartition("::")[2].startswith(self.address) and ".." not in path.split("/")

    def download(self, path: str) -> Path:
        """Download one file into the cache of the hub.

        Args:
            path: its address.

        Raises:
            DataError: the address is that of no file of this data set.
        """
        import huggingface_hub

        if not self.owns(path) or "::" in path:
            raise DataError(
                f"hf:{self.name} names {path} as one of its files, which is no file of it; use another revision."
            )
        file = path.removeprefix(self.address)
        return Path(huggingface_hub.hf_hub_download(self.name, file, repo_type="dataset", revision=self.commit))


def parse(source: str) -> tuple[str, str | None, str | None]:
    """The name, configuration and revision of `NAME[:CONFIG][@REVISION]`.

    Raises:
        UsageError: the source has another form.
    """
    match = NAME.fullmatch(source)
    if match is None:
        raise UsageError(
            f"hf:{source} is neither a folder nor the name of a data set; expected hf:DIR, hf:USER/NAME, hf:USER/NAME:CONFIG or "
            "hf:USER/NAME@REVISION."
        )
    return match["name"], match["config"], match["revision"]


def find(name: str, revision: str | None) -> Remote:
    """Ask the hub for a data set.

    Raises:
        DataError: the hub cannot be reached, or has no such data set or revision that the user may read.
    """
    import huggingface_hub
    from huggingface_hub import errors

    try:
        info = huggingface_hub.HfApi().dataset_info(name, revision=revision, files_metadata=True)
    except errors.RevisionNotFoundError as error:
        raise DataError(f"hf:{name} has no revision {revision}; name a branch, a tag or a commit of it.") from error
    except (errors.RepositoryNotFoundError, errors.GatedRepoError, errors.HFValidationError) as error:
        raise DataError(
            f"hf:{name} is no folder here, and the hub has no data set of this name that you may read; correct the name, or ask "
            "for access on its page and log in with `hf auth login`."
        ) from error
    except Exception as error:  # offline, and any other failure of the network
        raise DataError(
            f"hf:{name} is no folder here, and the hub cannot be reached; fetch it where there is a network with "
            f"`hf download {name} --repo-type dataset --local-dir DIR`, and prepare hf:DIR."
        ) from error
    size = sum(file.size or 0 for file in info.siblings or ())
    licence = getattr(info.card_data, "license", None) or ""
    return Remote(
        info.id or name, str(info.sha), size, ", ".join(licence) if isinstance(licence, list) else str(licence)
    )
