"""Figures: each as PNG and PDF, with the CSV of what it shows.

A module per figure says what it needs; `draw.py` knows them all. Importing this costs matplotlib's
start of about a second, so that tables alone do not import it.
"""
