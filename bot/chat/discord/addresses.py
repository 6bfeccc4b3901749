"""Where Discord is reached."""

import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route


def use_addresses(api_base: str, gateway_url: str) -> None:
    """Speak with another server than Discord's; an empty address leaves what it is.

    The library keeps both in its classes, so the whole process speaks with one server.
    """
    if api_base:
        Route.BASE = api_base.rstrip("/")
    if gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url)
