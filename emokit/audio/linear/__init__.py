"""Linear models of one vector per window: what functionals and probes of encoders share."""
