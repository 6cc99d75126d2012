"""Prepared folders as data sets for other programs: exported, or pushed to the Hugging Face hub."""
