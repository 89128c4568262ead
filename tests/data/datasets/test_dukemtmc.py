import pytest

from harness.data.datasets.dukemtmc import load

FILES = {
    "bounding_box_train": ["0001_c2_f0046182.jpg", "0005_c8_f0046302.jpg"],
    "query": ["0009_c1_f0046182.jpg"],
    "bounding_box_test": ["0009_c5_f0046182.jpg", "4000_c5_f0046182.jpg"],
}


@pytest.mark.parametrize("folder", ["", "DukeMTMC-reID", "dukemtmc-reid/DukeMTMC-reID"])
def test_labels_are_read_from_names(tmp_path, place, folder):
    place(tmp_path / folder, FILES)
    dataset = load(tmp_path)
    assert dataset.name == "dukemtmc"
    assert [(i.identity, i.camera) for i in dataset.train] == [(1, 2), (5, 8)]
    assert dataset.identities == (1, 5)
    assert len(dataset.test) == 3
    assert dataset.notes == ()
