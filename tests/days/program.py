"""The program as its operator runs it: on the simulated market, in a folder with its own database.

async with Program(tmp_path, TELEGRAM__ENABLED="true", TELEGRAM_TOKEN=...) as program:
    await program.start()
    ...
    assert await program.stop() == 0
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 120
TWO_SYMBOLS = {"SYMBOLS__ALWAYS": "BTCUSDT,ETHUSDT"}  # a day needs no more


class Program:
    """Started and ended as often as the day wants; over when it is left, whatever happened.

    The settings are those of its environment, without their GAMMABELL_.
    """

    def __init__(self, folder, **settings):
        self._folder = folder
        self._log = folder / "stderr.log"
        url = f"sqlite+aiosqlite:///{folder / 'gammabell.db'}"
        self._settings = {"STORE__URL": url} | TWO_SYMBOLS | settings
        self._process = None

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        if self._process:
            await self.kill()

    @property
    def log(self):
        """All that it ever said on stderr."""
        return self._log.read_text()

    async def start(self, *arguments, **settings):
        """Begin, or begin again; these settings are for this once."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", "run", "--source", "sim", *arguments),
                cwd=self._folder,
                env=self._environment(settings),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=log,
            )

    async def stop(self):
        """The exit code, once it was told to end."""
        return await self._end(signal.SIGTERM)

    async def kill(self):
        """Pull the plug."""
        await self._end(signal.SIGKILL)

    async def _end(self, number):
        process, self._process = self._process, None
        if process.returncode is None:
            process.send_signal(number)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await process.wait()
        finally:
            if process.returncode is None:
                process.kill()

    def _environment(self, settings):
        known = {k: v for k, v in os.environ.items() if not k.startswith("GAMMABELL_")}
        own = {f"GAMMABELL_{k}": v for k, v in (self._settings | settings).items()}
        return known | {"PYTHONPATH": str(ROOT), "GAMMABELL_API__PORT": "0"} | own
