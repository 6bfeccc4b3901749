"""Chats: each translates between its platform and `Command`/`Reply`, nothing else."""
