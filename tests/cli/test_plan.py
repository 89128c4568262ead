"""`kdreid plan`."""

import json

def test_a_plan_as_json(study):
    rows = json.loads(call("kdreid", "plan", *study, "--json").stdout)
    assert [row["state"] for row in rows] == ["done"] * 3
    assert [row["cohort"] for row in rows] == [1, 2, 2]


