"""The command line. Heavy modules are imported by the command that needs them."""

import argparse
import asyncio
import os
import sys
import threading
import traceback
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from uuid import uuid4

from bot import log
from bot.errors import BotError, UsageError, UserError

if TYPE_CHECKING:
    from bot.config import Config
    from bot.tasks import Answer

EPILOG = "Errors are one line; --debug shows where they come from. Exit 2: bad usage or config."


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; `{self.prog} --help` shows the usage\n")


def make_parser() -> Parser:
    """The commands and their options."""
    parser = Parser(prog="gammabell", description="Gamma levels and a bell.", epilog=EPILOG)
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = _command(commands, "run", _run, "the daemon: levels, rings, commands typed here")
    run.add_argument(
        "--role",
        default="",
        metavar="R,R",
        help="collect, deliver, discord, telegram, api; default all",
    )
    run.add_argument(
        "--source", default="live", metavar="S", help="live, sim, or a recording; default live"
    )
    run.add_argument("--speed", default="1", help="of a recording: 1, 60 ... or max")
    run.add_argument("--events", type=Path, metavar="FILE", help="append every event as JSON")

    levels = _command(commands, "levels", _levels, "one answer in the terminal")
    levels.add_argument("symbol", nargs="?", default="BTC")
    levels.add_argument("--at", metavar="T", help="as of this time, ISO 8601")
    levels.add_argument("--recording", type=Path, metavar="F", help="from a recording")
    levels.add_argument("--exchanges", metavar="V,V", help="from these venues alone")
    levels.add_argument("--json", action="store_true", help="print the API's envelope")
    levels.add_argument("--chart", type=Path, metavar="OUT.png", help="save the chart")

    replay = _command(commands, "replay", _replay, "a recording through the whole program")
    replay.add_argument("recording", type=Path)
    replay.add_argument("--speed", default="max", help="1, 60 ... or max; default max")
    replay.add_argument("--every", default="15m", help="a cycle between chains; default 15m")
    replay.add_argument("--json", action="store_true", help="print one object an event")

    record = _command(commands, "record", _record, "write down what the venues say")
    record.add_argument("recording", type=Path)
    record.add_argument("--for", dest="lasting", default="1h", help="how long; default 1h")
    record.add_argument("--source", default="live", choices=("live", "sim"), help="default live")

    sim = _command(commands, "sim", _sim, "the exchange simulator alone")
    sim.add_argument("--host", default="127.0.0.1")
    sim.add_argument("--port", type=int, choices=range(65_536), metavar="P", default=8090)
    sim.add_argument("--seed", type=int, default=7)
    sim.add_argument("--speed", type=float, default=1.0)

    _keys_command(commands)
    _command(commands, "check", _check, "config, database and venues: one line each")
    _command(commands, "migrate", _migrate, "bring the database to this version")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code."""
    if sys.stdout is None:  # started with its output closed
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  it stays open
    threading.excepthook = _thread_failed
    options = make_parser().parse_args(arguments)
    try:
        code = options.act(options)
    except BotError as error:
        if options.debug:
            traceback.print_exception(error)
        print(f"gammabell: {error}", file=sys.stderr)
        code = 2 if isinstance(error, UserError) else error.exit_code
        if isinstance(error.__cause__, BrokenPipeError):
            code = 0
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        code = 0
        _discard_output()
    except OSError as error:  # a full disk under stdout, most likely
        print(f"gammabell: {error.filename or 'output'}: {error.strerror}", file=sys.stderr)
        code = 1
        _discard_output()
    sys.exit(code)


def _thread_failed(failure: threading.ExceptHookArgs) -> None:
    """The database driver's thread may outlive the loop that it reports to."""
    if str(failure.exc_value) != "Event loop is closed":
        threading.__excepthook__(failure)


def _discard_output() -> None:
    """Let what is still buffered go nowhere, so that the interpreter's last flush succeeds."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _command(
    commands: "argparse._SubParsersAction[Parser]",
    name: str,
    act: Callable[[argparse.Namespace], int],
    text: str,
) -> Parser:
    command = commands.add_parser(name, help=text, description=text, epilog=EPILOG)
    command.add_argument("--config", type=Path, metavar="F", help="default config.toml, if any")
    # SUPPRESS: without it the subcommand's default would undo a --debug given before it.
    command.add_argument("--debug", action="store_true", default=argparse.SUPPRESS)
    command.set_defaults(act=act)
    return command


def _keys_command(commands: "argparse._SubParsersAction[Parser]") -> None:
    """`keys create NAME`, `keys list`, `keys revoke NAME`, `keys sign-out`."""
    keys = commands.add_parser("keys", help="who may use the HTTP API", epilog=EPILOG)
    actions = keys.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = _command(actions, "create", _create_key, "make a key; it is shown once")
    create.add_argument("name")
    create.add_argument(
        "--per-minute", type=int, metavar="N", help="requests a minute; default 600"
    )
    _command(actions, "list", _list_keys, "every key: its limit, when it was made and last used")
    revoke = _command(actions, "revoke", _revoke_key, "the key is refused within a second or two")
    revoke.add_argument("name")
    _command(actions, "sign-out", _sign_out, "every browser has to sign in to the dashboard again")


def _run(options: argparse.Namespace) -> int:
    from bot.app import ROLES, run_daemon

    config = _config(options)
    roles = [role.strip() for role in options.role.split(",") if role.strip()] or list(ROLES)
    for role in roles:
        if role not in ROLES:
            raise UsageError(f"no role {role!r}; choose among {', '.join(ROLES)}")
    speed = _speed(options.speed)
    return _complete(run_daemon(config, options.source, roles, speed, options.events))


def _levels(options: argparse.Namespace) -> int:
    from bot.tasks import answer_levels

    exchanges = _exchanges(options.exchanges)
    at = _moment(options.at) if options.at else None
    config = _config(options, quiet=True)  # what went wrong is in the one line of the error
    asked = answer_levels(config, options.symbol, at, options.recording, exchanges)
    answer = asyncio.run(asked)
    if options.chart:
        _save_chart(options.chart, answer)
    if options.json:
        from bot.api.schema import envelope

        told = envelope(
            answer.snapshot, answer.now, uuid4().hex, exchanges, simulated=answer.simulated
        )
        print(told.decode())
    else:
        from bot.tasks import print_card

        print_card(answer)
    return 0


def _replay(options: argparse.Namespace) -> int:
    from bot.config import duration
    from bot.recording.format import read_recording
    from bot.tasks import replay_recording

    config = _config(options)
    every = duration(options.every, "--every")
    speed = _speed(options.speed)
    recording = read_recording(options.recording)
    return _complete(replay_recording(config, recording, every, speed, as_json=options.json))


def _record(options: argparse.Namespace) -> int:
    from bot.config import duration
    from bot.tasks import record

    config = _config(options)
    lasting = duration(options.lasting, "--for")
    return _complete(record(config, options.recording, lasting, options.source))


def _sim(options: argparse.Namespace) -> int:
    from bot.sim.server import serve

    print(f"SIMULATED exchanges on http://{options.host}:{options.port}; Ctrl-C ends them")
    try:
        return _complete(serve(options.host, options.port, options.seed, options.speed))
    except (OSError, OverflowError) as error:
        raise UsageError(f"{options.host} port {options.port}: {error}; choose another") from error


def _check(options: argparse.Namespace) -> int:
    from bot.tasks import check

    return asyncio.run(check(_config(options), print))


def _migrate(options: argparse.Namespace) -> int:
    from bot.tasks import migrate_store

    return asyncio.run(migrate_store(_config(options), print))


def _create_key(options: argparse.Namespace) -> int:
    from bot.tasks import create_key

    return asyncio.run(create_key(_config(options), options.name, options.per_minute, print))


def _list_keys(options: argparse.Namespace) -> int:
    from bot.tasks import list_keys

    return asyncio.run(list_keys(_config(options), print))


def _revoke_key(options: argparse.Namespace) -> int:
    from bot.tasks import revoke_key

    return asyncio.run(revoke_key(_config(options), options.name, print))


def _sign_out(options: argparse.Namespace) -> int:
    from bot.tasks import sign_out

    return asyncio.run(sign_out(_config(options), print))


def _config(options: argparse.Namespace, *, quiet: bool = False) -> "Config":
    from bot.config import load_config

    config = load_config(options.config)
    log.set_up("DEBUG" if options.debug else "ERROR" if quiet else config.log.level.upper())
    return config


def _complete(work: Coroutine[object, object, object]) -> int:
    """Run it to its end or to the signal that stops it; the exit code."""
    asyncio.run(work)
    return 0


def _speed(text: str) -> float | None:
    """How many times as fast as real time; None is as fast as can be."""
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise UsageError(f"--speed {text}: write a number above 0, or max")
    return speed


def _moment(text: str) -> datetime:
    """The moment in ISO 8601; UTC where it names no zone."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"--at {text}: write it like 2026-04-24T07:59:30.5Z") from error


def _exchanges(text: str | None) -> list[str] | None:
    """The venues named, each known."""
    from bot.core.venues import find_venue

    return list(dict.fromkeys(map(find_venue, text.split(",")))) if text else None


def _save_chart(path: Path, answer: "Answer") -> None:
    from bot.charts.picture import profile_picture
    from bot.charts.profile import render_profile

    picture = render_profile(
        profile_picture(answer.chain, answer.snapshot, answer.now, simulated=answer.simulated)
    )
    try:
        path.write_bytes(picture)
    except OSError as error:
        if path.is_file():
            path.unlink()
        raise UsageError(f"{path}: {error.strerror}") from error
