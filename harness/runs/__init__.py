"""Runs as values and as folders on disk; nothing here imports torch."""
