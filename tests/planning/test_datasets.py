import pytest

from harness.core.errors import SetupError
from harness.core.progress import Reporter
from harness.core.session import RunContext
from harness.data.synthetic.counts import REAL_COUNTS
from harness.data.synthetic.layouts import LAYOUTS
from harness.planning.datasets import find_dataset, open_dataset
from harness.planning.schema import load_dataset
from harness.runs.data_flags import DataFlag
from tests.support.generated_copies import SETTINGS, write_copy


@pytest.fixture
def copy(tmp_path):
    return write_copy(tmp_path, "market1501")


def test_a_generated_copy_is_never_taken_for_the_real_dataset(copy, tmp_path):
    context = RunContext(runs=tmp_path / "runs", reporter=Reporter(quiet=True))
    arguments = ("market1501", load_dataset("market1501"), SETTINGS, copy, context)
    with pytest.raises(SetupError, match="train has 15 images where 12,936 are expected"):
        open_dataset(*arguments)
    dataset = open_dataset(*arguments, allow_partial=True)
    assert dataset.data_flags == (DataFlag.GENERATED, DataFlag.PARTIAL)
    *_, generated, partial = dataset.notes
    assert partial.startswith("Partial data: train has 15 images")
    assert generated.startswith("Generated data: ")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_generated_copy_is_flagged_in_every_layout(tmp_path, layout):
    write_copy(tmp_path, layout)
    dataset = find_dataset(layout, load_dataset(layout), tmp_path)
    assert dataset.data_flags == (DataFlag.GENERATED,)
    assert dataset.notes[-1].startswith("Generated data: drawn images in this dataset's layout")


def test_photographs_have_no_flag(copy):
    (copy / "synthetic.json").unlink()
    dataset = find_dataset("market1501", load_dataset("market1501"), copy)
    assert not any(note.startswith("Generated") for note in dataset.notes)
    assert dataset.data_flags == ()


@pytest.mark.parametrize("name", REAL_COUNTS)
def test_every_real_dataset_has_expected_counts(name):
    expected = load_dataset(name).expected
    assert expected["train"].images and expected["train"].identities


def test_the_data_root_can_be_an_environment_variable(copy, monkeypatch):
    config = load_dataset("market1501")
    monkeypatch.setenv("KDREID_DATA", str(copy.parent))
    assert find_dataset("market1501", config, None).root == copy
    monkeypatch.delenv("KDREID_DATA")
    with pytest.raises(SetupError, match=r"--data-root DIR .*or in .*KDREID_DATA"):
        find_dataset("market1501", config, None)


def test_a_missing_duke_is_explained_by_its_withdrawal(tmp_path):
    with pytest.raises(SetupError, match="does not exist. Its authors withdrew DukeMTMC-reID"):
        find_dataset("dukemtmc", load_dataset("dukemtmc"), tmp_path / "absent")
