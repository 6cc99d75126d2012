"""From raw emotion corpora to a calibrated, fused, honestly scored model of seven emotions."""

__version__ = "0.1.0"
