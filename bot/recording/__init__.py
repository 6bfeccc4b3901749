"""Recordings of the venues' own answers, and replaying them on a virtual clock."""
