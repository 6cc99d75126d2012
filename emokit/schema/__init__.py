"""The typed content of metrics.json, ledger.json, fusion.json and sweep.json, shared by writers and readers."""
