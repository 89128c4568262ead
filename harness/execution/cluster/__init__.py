"""Runs that other processes train: jobs on a Slurm cluster or on this machine's slots.

`submit` and `local_pool` start them, `status`, `logs` and `failures` inspect them, `cancel` and
`retry` act on them. All of these share what is written below the runs folder: see `submission`.
Slurm's commands are called in the package `slurm`; a job runs `harness.execution.worker`.
"""
