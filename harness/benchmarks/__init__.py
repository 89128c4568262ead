"""Benchmarks against a naive baseline, both measured in turns in one run (`kdreid bench`).

Where memory is measured, each measurement has a process of its own, because Linux reports a peak
for whole processes only.
"""
