"""What the product decides, as plain functions on plain values: no I/O, no clock."""
