"""`environment.json`: what is needed, besides the settings, to make a run again."""

from pydantic import Field

from emokit.schema.base import Schema, Whole


class Environment(Schema):
    """The surroundings of a run.

    Attributes:
        command: the command line, without passwords.
        started: when, in ISO 8601.
        data: the prepared folder.
        data_fingerprint: of the prepared folder.
        folds: the policy of a cross-validation.
        emokit: its version.
        packages: package -> its version; None where it is not installed.
        git_revision: of a checkout of emokit.
    """

    command: list[str] = Field(default_factory=list)
    started: str = ""
    seed: Whole | None = None
    device: str = ""
    data: str | None = None
    data_fingerprint: str = ""
    folds: str | None = None
    emokit: str = ""
    python: str = ""
    platform: str = ""
    threads: str = ""
    packages: dict[str, str | None] = Field(default_factory=dict)
    git_revision: str | None = None
