"""Two-column articles that input a table, compiled by a real LaTeX."""

import re
import shutil
import subprocess

from tests.support.latex import compiled

GEOMETRY = (
    "\\documentclass[10pt,twocolumn]{{article}}\n"
    "\\usepackage[paperwidth=612pt,textwidth={text}pt,textheight=640pt,columnsep={gap}pt]"
    "{{geometry}}\n"
)
IEEETRAN = "\\documentclass[journal]{IEEEtran}\n"
CLASSES = {  # with columns of 252, 237 and 345 points
    "ieee": GEOMETRY.format(text=516, gap=12),
    "cvpr": GEOMETRY.format(text=496.86, gap=22.6),
    "plain": "\\documentclass[10pt]{article}\n",
}
COLUMN_WIDTHS = {"ieee": 252, "cvpr": 237.13, "plain": 345}
WORDS = "Words before and after a table fill the column. " * 30


def has_ieeetran():
    """Whether LaTeX has the class of IEEE and its fonts here."""
    names = ("IEEEtran.cls", "ptmr7t.tfm")
    return shutil.which("kpsewhich") is not None and all(
        subprocess.run(["kpsewhich", name], capture_output=True, check=False).returncode == 0
        for name in names
    )


def log_of(folder, table, document_class):
    """The log of an article of this class that inputs the LaTeX `table`; it must compile."""
    (folder / "paper.tex").write_text(table)
    (folder / "article.tex").write_text(
        f"{document_class}\\usepackage{{booktabs,graphicx}}\n\\begin{{document}}\n"
        f"\\typeout{{column \\the\\columnwidth}}\n{WORDS}\n\n\\input{{paper}}\n{WORDS}\n"
        "\\end{document}\n"
    )
    compiled(folder, "article.tex")
    return (folder / "article.log").read_text(errors="replace")


def column_width(log):
    """Width of the article's columns in points."""
    return float(re.search(r"^column ([\d.]+)pt", log, re.MULTILINE)[1])


def overfull_boxes(log):
    """Lines of the log about what is wider or higher than its place."""
    return re.findall(r"^Overfull.*$", log, re.MULTILINE)
