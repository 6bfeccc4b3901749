"""Discord: slash commands, buttons and forms in; cards and rings out."""
