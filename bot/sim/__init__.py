"""An exchange that exists only on this machine: one seeded market behind each venue's wire."""
