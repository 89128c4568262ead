"""Evaluation of retrieval features: the protocol of Market-1501 and k-reciprocal re-ranking.

The scores of features, with no network involved:

    from harness.evaluation import Embeddings, evaluate

    scores = evaluate(Embeddings(features, identities, cameras), gallery)
    scores.mAP, scores.cmc(1)
"""

from harness.evaluation.metrics import METRICS, TIES, Ranking, evaluate, rank_distances
from harness.evaluation.reranking import RerankingOptions, rerank
from harness.evaluation.retrieval_scores import Embeddings, RetrievalScores

__all__ = [
    "METRICS",
    "TIES",
    "Embeddings",
    "Ranking",
    "RerankingOptions",
    "RetrievalScores",
    "evaluate",
    "rank_distances",
    "rerank",
]
