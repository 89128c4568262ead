"""Requests to stop that come at a chosen step."""

from harness.core.signals import StopRequest


class StopAfter(StopRequest):
    """A stop that is requested after so many looks at it: some before the first step, then two."""

    def __init__(self, reads):
        super().__init__()
        self.left = reads

    @property
    def requested(self):
        self.left -= 1
        return self.left < 0
