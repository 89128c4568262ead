"""`kdreid data`."""

from tests.support.command_line import call


def test_images_and_their_contact_sheet(tmp_path):
    made = call(
        "kdreid",
        "data",
        "make",
        tmp_path / "cars",
        "--set",
        "kind=vehicles",
        "--set",
        "train_identities=3",
        "--set",
        "test_identities=3",
    )
    assert made.returncode == 0, made.stderr
    sheet = call("kdreid", "data", "sheet", tmp_path / "cars", tmp_path / "cars.png")
    assert sheet.returncode == 0, sheet.stderr
    assert (tmp_path / "cars.png").read_bytes().startswith(b"\x89PNG")


def test_a_copy_in_a_real_layout_with_as_many_images_as_asked(tmp_path):
    made = call(
        "kdreid",
        "data",
        "make",
        tmp_path,
        "--like",
        "veri776",
        "--images",
        "30",
        "--set",
        "height=32",
        "--set",
        "width=32",
        "--workers",
        "1",
    )
    assert made.returncode == 0, made.stderr
    assert made.stdout.strip() == str(tmp_path / "VeRi")
    assert "drawing images: 30/30" in made.stderr
    told = call("kdreid", "data", "check", "--dataset", "veri776", "--data-root", tmp_path)
    assert told.returncode == 3
    assert "37,778  <- differs" in told.stdout and "Generated data: " in told.stdout
    refused = call("kdreid", "data", "make", tmp_path / "x", "--images", "full")
    assert refused.returncode == 2 and "name it with --like" in refused.stderr



