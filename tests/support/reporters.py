"""A reporter whose lines a test can read."""

from harness.core.progress import Reporter


class CollectingReporter(Reporter):
    """Keeps the lines instead of printing them."""

    def __init__(self):
        super().__init__(quiet=True)
        self.lines = []

    def info(self, text):
        self.lines.append(text)
