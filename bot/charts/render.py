"""Any picture as PNG."""

from bot.charts.picture import Picture, ProfilePicture
from bot.charts.price import render_price
from bot.charts.profile import render_profile


def render(picture: Picture) -> bytes:
    """The picture as PNG, 1080 x 1350 px; the same picture gives the same bytes."""
    if isinstance(picture, ProfilePicture):
        return render_profile(picture)
    return render_price(picture)
