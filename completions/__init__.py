"""Completion scripts for shells, and what generates them."""
