"""Lowest layer: errors, files, leases, signals, progress, seeds; nothing of re-identification."""
