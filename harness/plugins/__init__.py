"""Methods from outside this project: looked up by name, digested, and shared with torchdistill.

`harness.plugins.torchdistill` is not imported here, as torchdistill takes seconds to import.
"""

from harness.plugins.digest import described_digest, method_digest, source_digest
from harness.plugins.lookup import (
    canonical_name,
    describe_method,
    entry_point_methods,
    import_method_file,
    known_methods,
    methods_in,
    option_sections,
    resolve_method,
)

__all__ = [
    "canonical_name",
    "describe_method",
    "described_digest",
    "entry_point_methods",
    "import_method_file",
    "known_methods",
    "method_digest",
    "methods_in",
    "option_sections",
    "resolve_method",
    "source_digest",
]
