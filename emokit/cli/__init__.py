"""The command line: one file per command; each parses its arguments, calls one function and shows the result."""
