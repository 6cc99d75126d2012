"""Linear models of one vector per window or text: what probes and functionals share."""
