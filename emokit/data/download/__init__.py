"""Download corpora: resume, verify, unpack."""
