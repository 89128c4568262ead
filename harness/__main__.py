"""`python -m harness`: the command `kdreid`."""

from __future__ import annotations

from harness.cli.app import main

if __name__ == "__main__":
    main()
