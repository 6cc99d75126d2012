"""The report page: runs, comparisons and sweeps as one HTML file."""
