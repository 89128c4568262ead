"""Settings and partitions in the forms that scontrol and sinfo print."""

from slurm.cluster_info import ClusterInfo, Partition, read_config, read_partitions

CONFIG = """Configuration data as of 2026-01-01T00:00:00
ClusterName             = testbed
KillWait                = 30 sec
PreemptMode             = GANG,SUSPEND
Slurmctld(primary) at node1 is UP
"""


def test_settings_are_read_as_they_are_printed():
    assert read_config(CONFIG) == {
        "ClusterName": "testbed",
        "KillWait": "30 sec",
        "PreemptMode": "GANG,SUSPEND",
    }


def test_a_partition_has_a_line_for_each_kind_of_node():
    text = (
        "gpu*|up|2-00:00:00|8|gpu:a100:4(S:0-1)|515000+|64+\n"
        "cpu|down|infinite|1|(null)|8000|4\n"
        "not a partition\n"
    )
    assert read_partitions(text) == [
        Partition("gpu", True, True, "2-00:00:00", 8, "gpu:a100:4(S:0-1)", 515000, 64),
        Partition("cpu", False, False, "infinite", 1, "", 8000, 4),
    ]


def test_preempted_jobs_come_back_unless_the_mode_cancels():
    def cluster(mode):
        return ClusterInfo("22", "c", 1001, "p", mode, True, 300, 30, "none", None, ())

    assert cluster("REQUEUE").requeues_preempted
    assert cluster("GANG,SUSPEND").requeues_preempted
    assert not cluster("CANCEL").requeues_preempted
