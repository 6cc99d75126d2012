"""Tables for papers and for the page."""
