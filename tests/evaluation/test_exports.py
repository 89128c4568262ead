import subprocess
import sys

import harness.evaluation
from harness.evaluation import metrics
from tests.support import tiny_grid


def test_all_names_are_exported():
    assert set(harness.evaluation.__all__) == {
        "METRICS",
        "TIES",
        "Embeddings",
        "Ranking",
        "RerankingOptions",
        "RetrievalScores",
        "evaluate",
        "rank_distances",
        "rerank",
    }
    assert all(hasattr(harness.evaluation, name) for name in harness.evaluation.__all__)


def test_the_old_name_of_the_scores_stays():
    assert harness.evaluation.Ranking is metrics.Ranking is harness.evaluation.RetrievalScores
    assert metrics.Embeddings is harness.evaluation.Embeddings


def test_scoring_features_needs_neither_networks_nor_training():
    code = "import sys, harness.evaluation; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tiny_grid.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    modules = done.stdout.split()
    packages = {name.split(".")[1] for name in modules if name.startswith("harness.")}
    assert packages == {"evaluation"}
    assert not {"torchvision", "scipy", "pandas", "PIL"} & set(modules)
