"""Jobs in the forms that squeue, scontrol and sacct print.

tests/integration/slurm/test_queue.py compares the same with a real cluster.
"""

import time

from slurm.queue_output import read_sacct, read_scontrol, read_squeue

STARTED = "2026-01-02T03:04:05"


def begin(text=STARTED):
    return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))


def test_squeue_gives_exit_codes_as_wait_does():
    lines = (
        f"12|FAILED|NonZeroExitCode|{STARTED}|768|0|n1|kdreid-a|\n"
        f"13|FAILED|None|{STARTED}|9|2|n1|kdreid-b|\n"
        "14|PENDING|JobHeldUser|N/A|0|0||kdreid-c|\n"
        "slurm_load_jobs error: Unable to contact slurm controller\n"
    )
    failed, killed, held = read_squeue(lines)
    assert (failed.id, failed.exit_code, failed.signal, failed.begin) == ("12", 3, 0, begin())
    assert (failed.node, failed.name, failed.reason) == ("n1", "kdreid-a", "NonZeroExitCode")
    assert (killed.exit_code, killed.signal, killed.restarts, killed.reason) == (0, 9, 2, "")
    assert held.is_pending and not held.is_active and held.begin is None


def test_waiting_elements_of_an_array_are_listed_one_by_one():
    lines = (
        "7_[2-3,5,10-20:5%2]|PENDING|Priority|N/A|0|0||name|\n7_1|RUNNING|None|N/A|0|0|n1|name|\n"
    )
    jobs = list(read_squeue(lines))
    assert [job.id for job in jobs] == ["7_2", "7_3", "7_5", "7_10", "7_15", "7_20", "7_1"]
    assert [job.is_pending for job in jobs] == [True] * 6 + [False]
    assert jobs[-1].is_active


def test_scontrol_names_elements_by_their_array():
    text = (
        "JobId=21 ArrayJobId=20 ArrayTaskId=3 JobName=kdreid-a JobState=FAILED Reason=None "
        f"Restarts=1 ExitCode=4:0 StartTime={STARTED} NodeList=n2\n"
        "JobId=20 ArrayJobId=20 ArrayTaskId=4-5 JobName=kdreid-a JobState=PENDING "
        "Reason=Dependency Restarts=0 ExitCode=0:0 StartTime=Unknown NodeList=(null)\n"
        "JobId=22 JobName=kdreid-b JobState=RUNNING ExitCode=0:0 NodeList=n1\n"
        "slurm_load_jobs error: Invalid job id specified\n"
    )
    element, *waiting, plain = read_scontrol(text)
    assert (element.id, element.state, element.exit_code, element.restarts) == (
        "20_3",
        "FAILED",
        4,
        1,
    )
    assert (element.node, element.begin, element.reason) == ("n2", begin(), "")
    assert [(job.id, job.node, job.reason) for job in waiting] == [
        ("20_4", "", "Dependency"),
        ("20_5", "", "Dependency"),
    ]
    assert (plain.id, plain.source, plain.is_active) == ("22", "scontrol", True)


def test_sacct_gives_elements_of_their_own_before_those_that_share_a_line():
    text = (
        "30_[1-2]|PENDING|None|Unknown|0:0|None assigned|kdreid-a\n"
        f"30_1|CANCELLED by 0|None|{STARTED}|0:15|n1|kdreid-a\n"
        f"31|OUT_OF_MEMORY|OutOfMemory|{STARTED}|0:125|n1|kdreid-b\n"
    )
    jobs = list(read_sacct(text))
    assert [(job.id, job.state) for job in jobs] == [
        ("30_1", "CANCELLED"),
        ("31", "OUT_OF_MEMORY"),
        ("30_1", "PENDING"),
        ("30_2", "PENDING"),
    ]
    assert (jobs[0].signal, jobs[0].is_finished, jobs[0].source) == (15, True, "sacct")
    assert jobs[2].node == ""
