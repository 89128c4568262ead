"""Jobs of a test cluster, and this process's own commands directed to it."""

OURS = "kdreid-20260101-000000-abcd-1"


def turn_to(monkeypatch, cluster):
    """Direct this process's own commands to the test cluster."""
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    # Settings of a user that change what these commands print.
    monkeypatch.setenv("SQUEUE_FORMAT", "%j")
    monkeypatch.setenv("SLURM_TIME_FORMAT", "relative")
    monkeypatch.setenv("SACCT_FORMAT", "jobname")


def submit(cluster, script, *options):
    """Submit a job under the name of one of `run_folders.submitted`; its id."""
    return cluster.call(
        "sbatch",
        "--parsable",
        "--output=/dev/null",
        "--mem=10",
        f"--job-name={OURS}",
        *options,
        f"--wrap={script}",
    )
