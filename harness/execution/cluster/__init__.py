"""Runs that other processes carry out: jobs on a cluster or on this machine's slots.

`submission` sends them and `status` looks at them; what stands between is kept below the runs
folder, a `group` for each submission, so that any later command finds it. Slurm itself is spoken to
in `slurm/`; what a job runs is `harness/execution/worker.py`.
"""
