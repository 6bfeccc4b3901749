"""Venues: one file, one class, one pure parse function each; units are converted here."""
