"""Drawn people and vehicles, seen by imaginary cameras: Pillow and numpy only."""
