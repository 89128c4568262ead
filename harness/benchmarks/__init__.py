"""Benchmarks: ours against the obvious way, side by side in one run; show.py prints them.

Where memory is measured, each way has a process of its own: the most that was ever held is what is
asked for, and a process can only tell its own.
"""
