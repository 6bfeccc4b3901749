"""How soon people in Discord and Telegram are answered: `python -m benchmarks.chats`.

The whole program runs against its simulated exchanges, with fakes of both platforms in this
process. Commands come at an even rate, from many people; times are counted from when a command
leaves the platform until the platform has the answer.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.fakes.discord_invocation import Invocation
from tests.fakes.discord_limits import Bucket
from tests.fakes.discord_model import MEMBER_RIGHTS
from tests.fakes.discord_server import FakeDiscord
from tests.fakes.telegram_server import FakeTelegram

ROOT = Path(__file__).resolve().parent.parent
PEOPLE, PER_SECOND, SECONDS = 300, 50, 20
PATIENCE = 10.0
Times = tuple[float, float]  # seconds to the first reaction, and to the answer
Ask = Callable[[int], Awaitable[Times]]

COINS = ("btc", "eth", "sol", "hype")


async def main() -> None:
    """Measure and print."""
    print("| what | n | first reaction p50 / p99 ms | answer p50 / p99 ms |\n|---|---|---|---|")
    async with running() as (discord, telegram, process):
        print_row("start to first answer", [await first_answer(discord)])
        for name, picture in (("levels", False), ("chart", True)):
            print_row(f"Discord {name}", await load(on_discord(discord, name, picture=picture)))
            print_row(f"Telegram {name}", await load(on_telegram(telegram, name, picture=picture)))
        print(f"\nResident: {megabytes(process.pid):.0f} MB with both clients")


@asynccontextmanager
async def running() -> AsyncIterator[tuple[FakeDiscord, FakeTelegram, Process]]:
    """The program, both fakes with people in them, and a first snapshot of every coin."""
    wide = {"POST /channels/{channel}/messages": Bucket(10_000, 1)}
    with tempfile.TemporaryDirectory() as folder:
        async with FakeDiscord(buckets=wide) as discord, FakeTelegram() as telegram:
            telegram.limits.on = False  # 50 answers a second are beyond its 30 messages
            environment = os.environ | {
                "PYTHONPATH": str(ROOT),
                "GAMMABELL_DISCORD__ENABLED": "true",
                "GAMMABELL_DISCORD__API_BASE": discord.api_base,
                "GAMMABELL_DISCORD__GATEWAY_URL": discord.gateway_url,
                "GAMMABELL_DISCORD_TOKEN": discord.token,
                "GAMMABELL_TELEGRAM__ENABLED": "true",
                "GAMMABELL_TELEGRAM__API_BASE": telegram.api_base,
                "GAMMABELL_TELEGRAM_TOKEN": telegram.token,
                "GAMMABELL_API__PORT": "0",
            }
            guild = discord.add_guild("Traders")
            discord.channel = discord.add_channel(guild, "levels")
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", "run", "--source", "sim"),
                cwd=folder,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
            )
            try:
                yield discord, telegram, process
            finally:
                process.terminate()
                await process.wait()


async def first_answer(discord: FakeDiscord) -> Times:
    """Seconds from the start until a card with levels is there, and again, in place of both."""
    began = time.monotonic()
    user = discord.add_user("first")
    await discord.until(lambda: discord.requests("PUT", "/applications"), timeout=30)
    while True:
        asked = await discord.invoke(user, discord.channel, "levels", {"symbol": "btc"})
        await asked.answered(PATIENCE)
        if "Spot" in asked.message.text:
            break
        await asyncio.sleep(0.25)
    taken = time.monotonic() - began
    await asyncio.sleep(8)  # every coin has its levels, every picture its process
    return taken, taken


def on_discord(fake: FakeDiscord, name: str, *, picture: bool) -> Ask:
    """Asks as the n-th person; gives the seconds until the reaction and until the answer."""
    people = [fake.add_user(f"{name} {number}") for number in range(PEOPLE)]

    async def ask(number: int) -> Times:
        coin = COINS[number % len(COINS)]
        person = people[number % PEOPLE]
        asked = await fake.invoke(
            person, fake.channel, name, {"symbol": coin}, permissions=MEMBER_RIGHTS
        )
        await asked.until(lambda one: is_answered(one, picture=picture), timeout=PATIENCE)
        answered = time.monotonic() - asked.started
        return asked.acknowledged - asked.started, answered

    return ask


def is_answered(asked: Invocation, *, picture: bool) -> bool:
    """Whether the card is there, or the picture where that is the answer."""
    shown = asked.original
    return bool(shown and (shown.image if picture else "Spot" in shown.text))


def on_telegram(fake: FakeTelegram, name: str, *, picture: bool) -> Ask:
    """Asks as the n-th person; the first reaction is the answer."""
    chats = []
    for number in range(PEOPLE):
        person = fake.add_user(f"{name} {number}")
        chats.append((person, fake.private(person)))

    async def ask(number: int) -> Times:
        person, chat = chats[number % PEOPLE]
        seen, began = len(fake.messages(chat)), time.monotonic()
        fake.say(person, chat, f"/{name} {COINS[number % len(COINS)]}")
        wanted = (lambda m: m.photo) if picture else (lambda m: "Spot" in m.words)
        await fake.until(
            lambda: any(wanted(m) for m in fake.messages(chat)[seen:] if m.by_bot), PATIENCE
        )
        taken = time.monotonic() - began
        return taken, taken

    return ask


async def load(ask: Ask) -> list[Times]:
    """What each of the commands took, started at an even rate."""
    await ask(0)  # the first picture of each snapshot is drawn once
    began, tasks = time.monotonic(), []
    for number in range(1, PER_SECOND * SECONDS + 1):
        tasks.append(asyncio.create_task(ask(number)))
        await asyncio.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))
    return await asyncio.gather(*tasks)


def print_row(name: str, taken: list[Times]) -> None:
    """One row of the table."""
    reactions, answers = ([1_000 * one[position] for one in taken] for position in (0, 1))
    cells = (f"{middle(values):,.0f} / {worst(values):,.0f}" for values in (reactions, answers))
    print(f"| {name} | {len(taken)} | {' | '.join(cells)} |", flush=True)


def middle(values: list[float]) -> float:
    """The median."""
    return statistics.median(values)


def worst(values: list[float]) -> float:
    """What 99 of 100 keep."""
    return sorted(values)[int(0.99 * (len(values) - 1))]


def megabytes(pid: int) -> float:
    """Resident memory of the process."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1_024


if __name__ == "__main__":
    asyncio.run(main())
