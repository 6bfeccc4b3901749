"""Telegram: answering people there, and ringing them."""
