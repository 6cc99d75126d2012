"""Speech to text: recognisers of speech, translation of what they write, and how many words of it are wrong."""
