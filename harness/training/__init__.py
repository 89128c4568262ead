"""Training of runs: cohorts, the loop, losses, checkpoints and records."""
