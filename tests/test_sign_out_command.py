"""`gammabell keys sign-out`: whoever came in with a browser comes in anew."""

from bot.config import load_config
from bot.service.access import Access
from bot.store.migrate import open_store
from bot.tasks import sign_out


async def test_every_browser_is_signed_out(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path / 'keys.db'}"
    store, time, said = await open_store(url), [0.0], []
    access = Access(store, lambda: time[0], "")
    session = await access.begin("telegram:7")

    await sign_out(load_config(None, {"GAMMABELL_STORE__URL": url}), said.append)
    time[0] += 1

    assert await access.holder(session) is None
    assert said == ["signed out: every browser, within a second; calendars need a new address"]
    await store.close()
