"""The version of emokit."""

__version__ = "0.1.0"
