"""Two real clusters for all tests marked `slurm`, each started when the first test asks for it."""

import pytest

from slurm.testbed import ClusterSettings, temporary_cluster
from slurm.testbed.packages import describe_missing_programs


@pytest.fixture(scope="session")
def slurm_installed():
    """Skip, naming the packages to install, where there is no Slurm."""
    if (sentence := describe_missing_programs(accounting=True)) is not None:
        pytest.skip(sentence)


@pytest.fixture(scope="session")
def cluster(slurm_installed, tmp_path_factory):
    """Two nodes without accounting: `sacct` fails; finished jobs are listed for 15 minutes."""
    settings = ClusterSettings(job_age=900)
    with temporary_cluster(tmp_path_factory.mktemp("cluster"), settings=settings) as running:
        yield running


@pytest.fixture(scope="session")
def accounted(slurm_installed, tmp_path_factory):
    """Two nodes with accounting."""
    with temporary_cluster(tmp_path_factory.mktemp("accounted"), accounting=True) as running:
        yield running
