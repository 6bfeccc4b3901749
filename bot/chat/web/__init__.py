"""The dashboard's chat: a messenger over WebSocket."""
