"""`python -m harness.run`: the command `kdreid run`."""

from __future__ import annotations

from harness.cli.run import main

if __name__ == "__main__":
    main()
