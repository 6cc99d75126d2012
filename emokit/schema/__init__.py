"""The typed content of the JSON files of runs, sweeps and prepared folders, shared by writers and readers."""
