"""From raw emotion corpora to a calibrated, fused, honestly scored model of seven emotions."""

from emokit.registration import follow

__version__ = "0.1.0"

follow()
