"""Measurements, as ratios within one run, of what is promised of time; `make bench` runs them."""
