"""Submit jobs to a Slurm cluster through submitit, and query the cluster about them."""
