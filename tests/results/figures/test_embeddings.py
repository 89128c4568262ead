import os
import tracemalloc

import numpy as np

from results.collect import collect_runs
from results.figures.chart import MissingFigure, save_chart
from results.figures.embeddings import MAX_IDENTITIES, MAX_IMAGES, embedding_charts, select_images
from tests.support.records import spec, study, teacher_spec


def export(runs, made, spread, seed=0, model="ab"):
    """Twelve images of each of four identities, `spread` around corners of a cube."""
    random = np.random.default_rng(seed)
    identity = np.repeat([1, 2, 3, 4], 12)
    features = 10 * np.eye(8)[identity] + spread * random.normal(size=(48, 8))
    np.savez(
        runs / made["key"] / "embeddings.npz",
        features=features.astype(np.float32),
        identity=identity,
        camera=identity,
        image=[f"{n:02d}.jpg" for n in range(48)],
        model=model,
    )


def charts(runs):
    return list(embedding_charts(collect_runs(runs)[0]))


def only_chart(runs):
    (chart,) = charts(runs)
    return chart


def test_separate_identities_stay_separate(tmp_path):
    teacher = study(tmp_path, seeds=(0,))
    export(tmp_path, teacher, 0.1)
    export(tmp_path, spec(seed=0), 0.1, seed=1)
    export(tmp_path, spec("pdrd", 0, [teacher]), 0.1, model="of an earlier training")
    chart = only_chart(tmp_path)
    assert list(dict.fromkeys(chart.data["panel"])) == [
        "resnet101, plain, seed 0",
        "resnet18, plain, seed 0",
    ]
    for _, panel in chart.data.groupby("panel"):
        points = panel[["x", "y"]].to_numpy()
        gaps = np.linalg.norm(points[:, None] - points[None], axis=2)
        same = panel["identity"].to_numpy()[:, None] == panel["identity"].to_numpy()[None]
        assert gaps[same].max() < gaps[~same].min()
    again = only_chart(tmp_path)
    assert again.data.equals(chart.data)
    assert len(save_chart(chart, tmp_path)) == 3


def test_the_identities_with_most_images_are_selected():
    identity = np.concatenate(
        [np.full(50, 0), np.full(40, 7), *(np.full(3, i) for i in range(8, 30))]
    )
    rows = select_images(identity)
    counts = dict(zip(*map(list, np.unique(identity[rows], return_counts=True)), strict=True))
    assert counts[7] == MAX_IMAGES and 0 not in counts and len(counts) == MAX_IDENTITIES


def test_missing_embeddings_name_the_command(tmp_path):
    study(tmp_path)
    missing = only_chart(tmp_path)
    assert isinstance(missing, MissingFigure) and "Run kdreid export-embeddings RUN RUN" in str(
        missing
    )


def test_damaged_embeddings_are_named(tmp_path):
    study(tmp_path)
    path = tmp_path / teacher_spec()["key"] / "embeddings.npz"
    path.write_bytes(b"PK damaged")
    missing, problem = embedding_charts(collect_runs(tmp_path)[0])
    assert isinstance(missing, MissingFigure)
    assert f"{path} is damaged or cannot be read, so its run is not drawn." in str(problem)


def test_a_pipe_is_not_waited_for(tmp_path):
    teacher = study(tmp_path, seeds=(0,))
    export(tmp_path, teacher, 0.1)
    path = tmp_path / spec(seed=0)["key"] / "embeddings.npz"
    os.mkfifo(path)
    chart, problem = embedding_charts(collect_runs(tmp_path)[0])
    assert set(chart.data["panel"]) == {"resnet101, plain, seed 0"}
    assert str(path) in str(problem)


def test_a_file_that_unpacks_to_much_more_than_its_size_is_not_unpacked(tmp_path):
    study(tmp_path)
    path = tmp_path / teacher_spec()["key"] / "embeddings.npz"
    zeros = np.zeros((2_000_000, 64), np.float32)
    np.savez_compressed(path, features=zeros, identity=[1], image=["a"], model="ab")
    tracemalloc.start()
    try:
        assert all(isinstance(one, MissingFigure) for one in charts(tmp_path))
        assert tracemalloc.get_traced_memory()[1] < zeros.nbytes / 4
    finally:
        tracemalloc.stop()
