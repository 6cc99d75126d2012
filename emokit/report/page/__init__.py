"""The page: its parts in words, and one HTML file."""
