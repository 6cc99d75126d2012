"""Settings of prepared folders of another shape."""

import shutil
from pathlib import Path

import pytest
import yaml

from emokit.data.prepared import open_prepared
from emokit.errors import DataError


@pytest.mark.parametrize("value", ["hello", [1]])
def test_features_that_are_no_group_of_settings_are_refused(
    small_prepared: Path, tmp_path: Path, value: object
) -> None:
    folder = tmp_path / "prepared"
    shutil.copytree(small_prepared, folder)
    settings = yaml.safe_load((folder / "settings.yaml").read_text())
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings | {"features": value}))
    with pytest.raises(DataError) as caught:
        _ = open_prepared(folder).recordings
    assert str(caught.value) == (
        f"{folder / 'settings.yaml'} has features = {value!r} where a group of settings was expected; prepare the folder again."
    )
