"""The configuration: a TOML file, overridden by the environment, every key known by name."""

import os
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Literal

import msgspec

from bot.core.rules import parse_duration
from bot.core.symbols import QUOTE
from bot.core.words import suggest
from bot.errors import ConfigError

PREFIX = "GAMMABELL_"
DEFAULT_FILE = Path("config.toml")


class Section(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A table of the file."""


class StoreConfig(Section):
    """[store]: where, and how long things are kept."""

    url: str = "sqlite+aiosqlite:///gammabell.db"
    keep_chains: str = "2d"
    keep: str = "30d"


class SymbolsConfig(Section):
    """[symbols]: which are always computed."""

    offered: Literal["any"] = "any"
    always: list[str] = msgspec.field(
        default_factory=lambda: ["BTCUSDT", "ETHUSDT", "SOLUSDT", "HYPEUSDT"]
    )


class VenueConfig(Section):
    """[venues.NAME]: one venue."""

    enabled: bool = True
    base_url: str = ""
    ws_url: str = ""


class DormantVenueConfig(VenueConfig):
    """A venue whose adapter does not exist yet."""

    enabled: bool = False


class VenuesConfig(Section):
    """[venues]: scheme and host of each; the adapters know the paths."""

    deribit: VenueConfig = msgspec.field(
        default_factory=lambda: VenueConfig(base_url="https://www.deribit.com")
    )
    derive: VenueConfig = msgspec.field(
        default_factory=lambda: VenueConfig(base_url="https://api.derive.xyz")
    )
    binance: VenueConfig = msgspec.field(  # candles alone, so far
        default_factory=lambda: VenueConfig(base_url="https://api.binance.com")
    )
    bybit: DormantVenueConfig = msgspec.field(default_factory=DormantVenueConfig)
    okx: DormantVenueConfig = msgspec.field(default_factory=DormantVenueConfig)


class CollectorConfig(Section):
    """[collector]: how often, and how old data may be."""

    every: str = "30s"
    stale_after: str = "3m"


class DiscordConfig(Section):
    """[discord]: not built yet."""

    enabled: bool = False
    api_base: str = "https://discord.com/api/v10"
    gateway_url: str = ""


class TelegramConfig(Section):
    """[telegram]: not built yet."""

    enabled: bool = False
    api_base: str = "https://api.telegram.org"
    mode: Literal["polling", "webhook"] = "polling"


class ApiConfig(Section):
    """[api]: not built yet."""

    host: str = "127.0.0.1"
    port: int = 8080


class LogConfig(Section):
    """[log]: how much is said on stderr."""

    level: str = "warning"


class Config(Section):
    """The whole file."""

    store: StoreConfig = msgspec.field(default_factory=StoreConfig)
    symbols: SymbolsConfig = msgspec.field(default_factory=SymbolsConfig)
    venues: VenuesConfig = msgspec.field(default_factory=VenuesConfig)
    collector: CollectorConfig = msgspec.field(default_factory=CollectorConfig)
    discord: DiscordConfig = msgspec.field(default_factory=DiscordConfig)
    telegram: TelegramConfig = msgspec.field(default_factory=TelegramConfig)
    api: ApiConfig = msgspec.field(default_factory=ApiConfig)
    log: LogConfig = msgspec.field(default_factory=LogConfig)


def load_config(path: Path | None, environment: Mapping[str, str] = os.environ) -> Config:
    """The file's settings under the environment's. Raises ConfigError, one line.

    Without a path, config.toml of this folder when there is one, else the defaults.
    """
    chosen = path or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
    table = _read(chosen) if chosen else {}
    where = str(chosen) if chosen else "the environment"
    _check_keys(table, Config, where)
    for name, value in sorted(environment.items()):
        if name.startswith(PREFIX) and "__" in name:
            _set(table, name, value)
    return _checked(_convert(table, where))


def duration(text: str, key: str) -> timedelta:
    """The duration in a setting. Raises ConfigError, which names it."""
    try:
        value = parse_duration(text)
    except ValueError as error:
        raise ConfigError(f"{key}: {error}") from error
    if not value:
        raise ConfigError(f"{key}: must be longer than 0")
    return value


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; copy config.example.toml there") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error


def _check_keys(table: Mapping[str, object], section: type, where: str, path: str = "") -> None:
    """Every key is known; an unknown one is named with the nearest that is."""
    known = {field.name: field.type for field in msgspec.structs.fields(section)}
    for key, value in table.items():
        name = f"{path}{key}"
        if key not in known:
            names = [f"{path}{one}" for one in known]
            hint = suggest(name, names, f"known: {', '.join(names)}")
            raise ConfigError(f"{where}: unknown key {name}; {hint}")
        kind = known[key]
        if isinstance(kind, type) and issubclass(kind, Section):
            if not isinstance(value, dict):
                raise ConfigError(f"{where}: {name} is a section, written [{name}]")
            _check_keys(value, kind, where, f"{name}.")


def _set(table: dict[str, object], name: str, value: str) -> None:
    """Put the value of GAMMABELL_<SECTION>__<KEY> where the file would have it."""
    *sections, key = name.removeprefix(PREFIX).lower().split("__")
    place: dict[str, object] = table
    for section in sections:
        inner = place.setdefault(section, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"{name}: {section} is no section")
        place = inner
    before, place[key] = place.get(key), value
    nested: dict[str, object] = {key: value}
    for section in reversed(sections):
        nested = {section: nested}
    _check_keys(nested, Config, name)
    if isinstance(before, list) or (sections, key) == (["symbols"], "always"):
        place[key] = [part.strip() for part in value.split(",")]


def _convert(table: Mapping[str, object], where: str) -> Config:
    try:
        # strict=False: the environment has only text, "true" and "8080" among it.
        return msgspec.convert(table, Config, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {error}") from error


def _checked(config: Config) -> Config:
    """The config, its values found to make sense."""
    every = duration(config.collector.every, "collector.every")
    if duration(config.collector.stale_after, "collector.stale_after") <= every:
        raise ConfigError("collector.stale_after must be longer than collector.every")
    duration(config.store.keep, "store.keep")
    duration(config.store.keep_chains, "store.keep_chains")
    for symbol in config.symbols.always:
        if not symbol.isalnum() or not symbol.endswith(QUOTE) or symbol != symbol.upper():
            raise ConfigError(f"symbols.always: {symbol!r} is no symbol; write it like BTCUSDT")
    for name, section in (
        ("venues.bybit", config.venues.bybit),
        ("venues.okx", config.venues.okx),
        ("discord", config.discord),
        ("telegram", config.telegram),
    ):
        if section.enabled:
            raise ConfigError(f"{name}.enabled: not built yet; set it to false")
    if config.log.level not in ("debug", "info", "warning", "error"):
        raise ConfigError(f"log.level: {config.log.level!r}; choose debug, info, warning or error")
    return config
