"""The configuration: a TOML file, overridden by the environment, every key known by name."""

import ipaddress
import os
import re
import tomllib
from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from bot.core.rules import parse_duration
from bot.core.symbols import QUOTE
from bot.core.words import suggest
from bot.errors import ConfigError

PREFIX = "GAMMABELL_"
DEFAULT_FILE = Path("config.toml")
# Written with commas in the environment.
LISTS = (["symbols", "always"], ["api", "cors"], ["api", "trusted_proxies"])


Port = Annotated[int, msgspec.Meta(ge=0, le=65_535)]


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
    """[venues.NAME]: scheme and host of one venue; its adapter knows the paths."""

    enabled: bool = True
    base_url: str = ""
    ws_url: str = ""


class DeribitConfig(VenueConfig):
    """[venues.deribit]."""

    base_url: str = "https://www.deribit.com"
    ws_url: str = "wss://www.deribit.com"


class BybitConfig(VenueConfig):
    """[venues.bybit]."""

    base_url: str = "https://api.bybit.com"
    ws_url: str = "wss://stream.bybit.com"


class OkxConfig(VenueConfig):
    """[venues.okx]."""

    base_url: str = "https://www.okx.com"
    ws_url: str = "wss://ws.okx.com:8443"


class BinanceConfig(VenueConfig):
    """[venues.binance]: options, futures and spot live on hosts of their own."""

    base_url: str = "https://eapi.binance.com"
    futures_url: str = "https://fapi.binance.com"
    spot_url: str = "https://api.binance.com"
    ws_url: str = "wss://fstream.binance.com"


class DeriveConfig(VenueConfig):
    """[venues.derive]."""

    base_url: str = "https://api.derive.xyz"
    ws_url: str = "wss://api.derive.xyz"


class VenuesConfig(Section):
    """[venues]: each venue's section."""

    deribit: DeribitConfig = msgspec.field(default_factory=DeribitConfig)
    bybit: BybitConfig = msgspec.field(default_factory=BybitConfig)
    okx: OkxConfig = msgspec.field(default_factory=OkxConfig)
    binance: BinanceConfig = msgspec.field(default_factory=BinanceConfig)
    derive: DeriveConfig = msgspec.field(default_factory=DeriveConfig)


class CollectorConfig(Section):
    """[collector]: how often, and how old data may be."""

    every: str = "30s"
    stale_after: str = "3m"


class DiscordConfig(Section):
    """[discord]: the bot of Discord; its token comes from the environment."""

    enabled: bool = False
    api_base: str = "https://discord.com/api/v10"
    gateway_url: str = ""  # empty: as Discord says
    shards: Annotated[int, msgspec.Meta(ge=0)] = 0  # 0: as many as Discord advises


class TelegramConfig(Section):
    """[telegram]: the bot of Telegram; its token comes from the environment."""

    enabled: bool = False
    api_base: str = "https://api.telegram.org"
    mode: Literal["polling", "webhook"] = "polling"
    webhook_url: str = ""  # where Telegram finds us
    webhook_host: str = "127.0.0.1"  # where we listen for it
    webhook_port: Port = 8081


class ApiConfig(Section):
    """[api]: where the HTTP API listens, and whom it shows what."""

    host: str = "127.0.0.1"
    port: Port = 8080
    cors: list[str] = msgspec.field(default_factory=list)  # origins of pages that may read it
    metrics: Literal["loopback", "anywhere"] = "loopback"
    public_url: str = ""  # where people open the dashboard
    trusted_proxies: list[str] = msgspec.field(default_factory=list)  # addresses, networks


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
    if chosen:
        _check_keys(table, Config, str(chosen))
        _checked(_convert(table, str(chosen)), str(chosen))
    for name, value in sorted(environment.items()):
        if name.startswith(PREFIX) and "__" in name:
            _set(table, name, value)
    return _checked(_convert(table, "the environment"), "the environment")


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
        name = " ".join(f"{path}{key}".split())
        if key not in known:
            names = [f"{path}{one}" for one in known]
            hint = suggest(name, names, f"known: {', '.join(names)}")
            raise ConfigError(f"{where}: unknown key {name}; {hint}")
        kind = known[key]
        if isinstance(kind, type) and issubclass(kind, Section):
            if not isinstance(value, dict):
                raise ConfigError(f"{where}: {name} is a section, written [{name}]")
            _check_keys(value, kind, where, f"{name}.")
        elif isinstance(value, dict):
            raise ConfigError(f"{where}: {name} is a value, not a section")


def _set(table: dict[str, object], name: str, value: str) -> None:
    """Put the value of GAMMABELL_<SECTION>__<KEY> where the file would have it."""
    path = name.removeprefix(PREFIX).lower().split("__")
    is_list = path in LISTS
    *sections, key = path
    parts = [part.strip() for part in value.split(",")] if value.strip() else []
    nested: dict[str, object] = {key: parts if is_list else value}
    for section in reversed(sections):
        nested = {section: nested}
    _check_keys(nested, Config, name)
    _overlay(table, nested)


def _overlay(table: dict[str, object], above: Mapping[str, object]) -> None:
    """Put the values of `above` over those of the table, section by section."""
    for key, value in above.items():
        below = table.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            _overlay(below, value)
        else:
            table[key] = value


def _convert(table: Mapping[str, object], where: str) -> Config:
    try:
        # strict=False: the environment has only text, "true" and "8080" among it.
        return msgspec.convert(table, Config, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {error}") from error


def _checked(config: Config, where: str) -> Config:
    """The config, its values found to make sense."""
    try:
        _check_values(config)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    return config


def _check_values(config: Config) -> None:
    every = duration(config.collector.every, "collector.every")
    if duration(config.collector.stale_after, "collector.stale_after") <= every:
        raise ConfigError("collector.stale_after must be longer than collector.every")
    duration(config.store.keep, "store.keep")
    duration(config.store.keep_chains, "store.keep_chains")
    if not config.store.url.startswith(("sqlite+aiosqlite:///", "postgresql+asyncpg://")):
        raise ConfigError(
            "[store] url: write sqlite+aiosqlite:///gammabell.db or "
            "postgresql+asyncpg://user:password@host/name"
        )
    _check_symbols(config.symbols.always)
    for field in msgspec.structs.fields(config.venues):
        _settle_addresses(f"venues.{field.name}", getattr(config.venues, field.name))
    _check_platforms(config)
    _check_api(config.api)
    if config.log.level not in ("debug", "info", "warning", "error"):
        raise ConfigError(f"log.level: {config.log.level!r}; choose debug, info, warning or error")


def _check_symbols(symbols: list[str]) -> None:
    if not symbols or len(set(symbols)) < len(symbols):
        raise ConfigError("symbols.always: name at least one symbol, each once")
    for symbol in symbols:
        if not re.fullmatch(rf"[A-Z0-9]+{QUOTE}", symbol):
            raise ConfigError(f"symbols.always: {symbol!r} is no symbol; write it like BTCUSDT")


def _check_platforms(config: Config) -> None:
    """The chats' addresses are such, kept without the slash that may end them."""
    discord, telegram = config.discord, config.telegram
    for name, section in (("discord", discord), ("telegram", telegram)):
        section.api_base = section.api_base.rstrip("/")
        if not _is_address(section.api_base, ("http", "https")):
            raise ConfigError(f"{name}.api_base: write it like {type(section)().api_base}")
    moved = discord.api_base != DiscordConfig().api_base
    if moved and discord.shards and not discord.gateway_url:
        raise ConfigError("discord.gateway_url: with another api_base and fixed shards, set it too")
    if discord.gateway_url and not _is_address(discord.gateway_url, ("ws", "wss")):
        raise ConfigError("discord.gateway_url: write it like wss://gateway.discord.gg, or empty")
    if telegram.mode == "webhook" and not _is_address(telegram.webhook_url, ("http", "https")):
        raise ConfigError(
            "telegram.webhook_url: webhook mode needs the address at which Telegram finds us, "
            "like https://bell.example.org/telegram"
        )


def _check_api(api: ApiConfig) -> None:
    if not api.host.strip():
        raise ConfigError(
            'api.host: name an address to listen at: "127.0.0.1", or "0.0.0.0" for all'
        )
    for origin in api.cors:
        if origin != "*" and not (_is_address(origin, ("http", "https")) and _is_bare(origin)):
            raise ConfigError(
                f'api.cors: {origin!r}: write "*" or origins like https://example.org'
            )
    api.public_url = api.public_url.rstrip("/")
    if api.public_url and not _is_address(api.public_url, ("http", "https")):
        raise ConfigError("api.public_url: write it like https://bell.example.org, or empty")
    for proxy in api.trusted_proxies:
        _check_network(proxy)


def _check_network(text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        raise ConfigError(
            f"api.trusted_proxies: {text!r}: write addresses or networks, "
            'like "127.0.0.1" and "10.0.0.0/8"'
        ) from error


def _is_bare(origin: str) -> bool:
    """Whether it is scheme, host and port alone, as a browser names it."""
    return not urlsplit(origin).path and "@" not in origin and origin == origin.lower()


def _settle_addresses(name: str, venue: VenueConfig) -> None:
    """Each address is one, kept without the slash that may end it.

    Where base_url alone was changed, a mirror or a simulator say, the others follow it: one
    venue is never asked half here and half there.
    """
    public = type(venue)()
    keys = [key for key in venue.__struct_fields__ if key.endswith("_url")]
    venue.base_url = venue.base_url.rstrip("/")
    moved = venue.base_url != public.base_url
    for key in keys:
        usual = getattr(public, key)
        address = getattr(venue, key).rstrip("/") or usual
        if moved and address == usual:
            scheme = "ws" if key == "ws_url" else "http"
            address = re.sub("^http", scheme, venue.base_url)
        setattr(venue, key, address)
        schemes = ("ws", "wss") if key == "ws_url" else ("http", "https")
        if venue.enabled and not _is_address(address, schemes):
            raise ConfigError(f"{name}.{key}: write scheme and host, like {getattr(public, key)}")


def _is_address(text: str, schemes: Collection[str]) -> bool:
    try:
        parts = urlsplit(text)
        named = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:  # a bracket that does not close, a port that is no number
        return False
    return bool(
        named and parts.scheme in schemes and not parts.query and re.fullmatch(r"\S+", text)
    )
