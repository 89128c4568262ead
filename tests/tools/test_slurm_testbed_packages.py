import pytest

from harness.core.errors import SlurmError
from slurm.testbed import packages


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A machine with nothing installed but what a test puts into this folder."""
    monkeypatch.setattr(packages, "PATH", str(tmp_path))
    return tmp_path


def install(folder, *names):
    for name in names:
        (folder / name).touch(mode=0o755)


def test_the_packages_are_named_once_each_and_accounting_s_only_if_asked(bare):
    assert packages.describe_missing_programs(accounting=False) == (
        "A Slurm cluster on this machine needs slurmctld, slurmd, sbatch, munged: "
        "as root, apt-get install slurm-wlm munge"
    )
    install(bare, *packages.PROGRAMS)
    assert packages.describe_missing_programs(accounting=False) is None
    install(bare, "slurmdbd")
    assert packages.describe_missing_programs(accounting=True) == (
        "A Slurm cluster on this machine needs mariadbd, mariadb-install-db: "
        "as root, apt-get install mariadb-server"
    )


def test_a_program_is_found_or_its_absence_ends_with_code_3(bare):
    install(bare, "slurmd")
    assert packages.find_program("slurmd") == str(bare / "slurmd")
    with pytest.raises(SlurmError, match="apt-get install munge") as caught:
        packages.find_program("munged")
    assert caught.value.exit_code == 3
