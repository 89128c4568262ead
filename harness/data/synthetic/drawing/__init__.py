"""Rendering of synthetic people and vehicles as seen by cameras; uses Pillow and numpy only."""
