"""Levels as other programs read them: strings and files, each with its time and its doubts."""
