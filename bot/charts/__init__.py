"""Pictures of a snapshot: values that travel, drawn by matplotlib in a process of its own."""
