"""Figures of a report, each as PNG, PDF and CSV.

Every module draws one kind of figure and defines which data it needs; `results.figures.all` draws
all of them. Importing a module costs the start of matplotlib, about a second, so code that needs
tables only imports none of them.
"""

import os

# Figures are files: the backend that a notebook or a user has set would be imported, which fails
# where its package is not installed.
os.environ["MPLBACKEND"] = "agg"

RANKED_PREFIX = "ranked-"  # of the files that are drawn by `kdreid compare-rankings`
KIND_TITLES = {  # by the first part of a figure's name; a sweep's name starts with its method
    "consistency": "Ranking inconsistency with the teacher",
    "cost": "mAP and training cost",
    "extraction": "Feature-extraction time",
    "gains": "Gains of methods",
    "heatmap": "Gains by method and dataset",
    "learning": "Learning curves",
    "ranked": "Ranked lists",
    "ranks": "Critical-difference diagram",
    "scores": "R1 against mAP",
    "size": "mAP and model size",
    "tsne": "t-SNE of embeddings",
}
