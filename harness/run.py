"""The main command: `python -m harness.run --methods all --dataset msmt17`, or `kdreid run`."""

from __future__ import annotations

from harness.cli.run import main

if __name__ == "__main__":
    main()
