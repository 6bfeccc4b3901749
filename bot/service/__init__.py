"""The verbs: each awaits ports and calls the core."""
