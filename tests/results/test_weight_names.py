"""Initial weights by their names."""

import pytest
from torchvision.models import get_model_weights

from harness.models import NETWORKS
from results.collect import collect_runs
from results.comparable import comparison_groups
from results.weight_names import IMAGENET, TORCHVISION_V1, describe_weights
from tests.support.records import done, spec


@pytest.mark.parametrize("network", TORCHVISION_V1)
def test_the_digests_are_those_in_the_names_of_torchvisions_files(network):
    url = get_model_weights(network)["IMAGENET1K_V1"].url
    assert url.endswith(f"-{TORCHVISION_V1[network]}.pth")


def test_every_network_with_published_weights_is_known():
    assert {one.pretrained for one in NETWORKS.values() if one.pretrained} == {*TORCHVISION_V1}


def test_others_keep_their_digest():
    assert describe_weights("f37072fd12345678") == IMAGENET
    assert describe_weights("none") == "none" and describe_weights("1234abcd") == "1234abcd"


def test_tables_name_them(tmp_path):
    for digest in ("f37072fd12345678", "none"):
        done(tmp_path, spec(weights=digest), 0.4)
    groups = comparison_groups(collect_runs(tmp_path)[0], "synthetic")
    names = {group.distinguishing_fields for group in groups}
    assert names == {(f"weights {IMAGENET}",), ("weights none",)}
    assert any(f"weights {IMAGENET}" in group.describe() for group in groups)
