import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from bot.config import Config, duration, load_config
from bot.errors import ConfigError

EXAMPLE = Path(__file__).parents[1] / "config.example.toml"


@pytest.fixture
def load(tmp_path):
    """Loads this text as a file, under these variables."""

    def load_text(text="", **environment):
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        return load_config(path, environment)

    return load_text


@pytest.fixture
def refusal(load):
    """The one line that this text is refused with."""

    def refuse(text="", **environment):
        with pytest.raises(ConfigError) as caught:
            load(text, **environment)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return refuse


def test_without_a_file_everything_has_its_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    config = load_config(None, {})

    assert config == Config()
    assert config.store.url == "sqlite+aiosqlite:///gammabell.db"
    assert config.symbols.always == ["BTCUSDT", "ETHUSDT", "SOLUSDT", "HYPEUSDT"]
    assert config.venues.deribit.base_url == "https://www.deribit.com"
    assert (config.collector.every, config.api.port) == ("30s", 8080)


def test_config_toml_of_this_folder_is_read_unasked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("config.toml").write_text('[collector]\nevery = "10s"\n')

    assert load_config(None, {}).collector.every == "10s"


def test_the_example_is_the_defaults():
    assert load_config(EXAMPLE, {}) == Config()


def test_the_example_documents_every_key():
    def keys(config):
        return {
            name: keys(value) if isinstance(value, dict) else ... for name, value in config.items()
        }

    written = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))

    assert keys(written) == keys(as_table(Config()))


def as_table(section):
    fields = {name: getattr(section, name) for name in section.__struct_fields__}
    return {
        name: as_table(value) if hasattr(value, "__struct_fields__") else value
        for name, value in fields.items()
    }


def test_a_file_changes_what_it_names_and_nothing_else(load):
    config = load('[symbols]\nalways = ["BTCUSDT"]\n[store]\nkeep = "7d"\n')

    assert config.symbols.always == ["BTCUSDT"]
    assert config.store.keep == "7d"
    assert config.store.keep_chains == Config().store.keep_chains
    assert config.venues == Config().venues


@pytest.mark.parametrize("venue", ["deribit", "derive", "binance"])
def test_a_venues_section_changes_what_it_names_and_nothing_else(load, venue):
    default = getattr(Config().venues, venue)

    off = getattr(load(f"[venues.{venue}]\nenabled = false\n").venues, venue)
    moved = getattr(load(f'[venues.{venue}]\nws_url = "wss://x"\n').venues, venue)

    assert (off.enabled, off.base_url) == (False, default.base_url)
    assert (moved.enabled, moved.base_url) == (True, default.base_url)


def test_the_environment_changes_one_key_of_a_venue_and_nothing_else(load):
    config = load(GAMMABELL_VENUES__DERIBIT__ENABLED="false")

    assert not config.venues.deribit.enabled
    assert config.venues.deribit.base_url == "https://www.deribit.com"


def test_the_environment_goes_before_the_file(load):
    config = load(
        '[collector]\nevery = "10s"\nstale_after = "1m"\n',
        GAMMABELL_COLLECTOR__EVERY="20s",
        GAMMABELL_STORE__URL="sqlite+aiosqlite:///other.db",
    )

    assert (config.collector.every, config.collector.stale_after) == ("20s", "1m")
    assert config.store.url == "sqlite+aiosqlite:///other.db"


def test_the_environments_text_becomes_what_the_key_is(load):
    config = load(
        GAMMABELL_API__PORT="9090",
        GAMMABELL_VENUES__DERIVE__ENABLED="false",
        GAMMABELL_VENUES__DERIBIT__BASE_URL="http://127.0.0.1:8090",
        GAMMABELL_SYMBOLS__ALWAYS="BTCUSDT, HYPEUSDT",
    )

    assert config.api.port == 9090
    assert config.venues.derive.enabled is False
    assert config.venues.deribit.base_url == "http://127.0.0.1:8090"
    assert config.symbols.always == ["BTCUSDT", "HYPEUSDT"]


def test_a_list_of_the_file_is_replaced_by_the_environments(load):
    config = load('[symbols]\nalways = ["BTCUSDT"]\n', GAMMABELL_SYMBOLS__ALWAYS="ETHUSDT")

    assert config.symbols.always == ["ETHUSDT"]


def test_other_variables_and_tokens_are_left_alone(load):
    config = load(
        PATH="/bin", STORE__URL="x", GAMMABELL_DISCORD_TOKEN="a", GAMMABELL_TELEGRAM_TOKEN="b"
    )

    assert config == Config()


@pytest.mark.parametrize(
    ("text", "named", "meant"),
    [
        ('[collector]\nevry = "30s"\n', "collector.evry", "collector.every"),
        ("[colector]\n", "colector", "collector"),
        ('[venues.deribbit]\nbase_url = "x"\n', "venues.deribbit", "venues.deribit"),
        ('[venues.okx]\nbaseurl = "x"\n', "venues.okx.baseurl", "venues.okx.base_url"),
        ('[telegram]\nmod = "polling"\n', "telegram.mod", "telegram.mode"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_known_one(refusal, text, named, meant):
    line = refusal(text)

    assert "config.toml" in line
    assert f"unknown key {named}" in line
    assert f"did you mean {meant}?" in line


def test_an_unknown_key_like_no_other_is_named_with_the_known_ones(refusal):
    line = refusal("[store]\nqqqqqqqq = 1\n")

    assert "unknown key store.qqqqqqqq" in line
    assert "store.url" in line


def test_a_secret_is_no_key_of_the_file(refusal):
    assert "unknown key discord.token" in refusal('[discord]\ntoken = "secret"\n')


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("GAMMABELL_STORE__URI", "store.url"),
        ("GAMMABELL_STOR__URL", "store"),
        ("GAMMABELL_VENUES__DERIBIT__BASEURL", "venues.deribit.base_url"),
        ("GAMMABELL_VENUES__DERIBBIT__BASE_URL", "venues.deribit"),
    ],
)
def test_an_unknown_variable_is_named_with_the_nearest_known_key(refusal, variable, meant):
    line = refusal(**{variable: "x"})

    assert variable in line
    assert f"did you mean {meant}?" in line


@pytest.mark.parametrize(
    "text",
    [
        "[store\n",
        "store = 1\n",
        "[[store]]\n",
        "[store]\nurl = 5\n",
        "[store]\nurl = \n",
        '[store]\nurl = "a"\nurl = "b"\n',
        '[symbols]\nalways = "BTCUSDT"\n',
        "[symbols]\nalways = [1]\n",
        '[symbols]\nalways = ["btc"]\n',
        '[symbols]\nalways = ["BTC"]\n',
        '[symbols]\nalways = ["BTC/USDT"]\n',
        '[symbols]\noffered = "all"\n',
        '[telegram]\nmode = "pull"\n',
        '[api]\nport = "http"\n',
        '[log]\nlevel = "loud"\n',
        '[venues]\nderibit = "on"\n',
        "[venues.deribit]\nenabled = 7\n",
    ],
)
def test_what_does_not_fit_is_refused_with_the_file_and_the_key(refusal, text):
    line = refusal(text)

    words = ("config.toml", "symbols.always", "log.level")
    assert any(word in line for word in words)


@pytest.mark.parametrize("symbols", ["[]", '["BTCUSDT", "BTCUSDT"]', '["USDT"]'])
def test_symbols_that_nothing_could_run_with_are_refused(refusal, symbols):
    assert "symbols.always" in refusal(f"[symbols]\nalways = {symbols}\n")


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_port_that_can_be_none_is_refused(refusal, port):
    assert "port" in refusal(f"[api]\nport = {port}\n")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "www.deribit.com",
        "ftp://x",
        "http://",
        "https://x y",
        "http://[",
        "https://x:99999",
        "https://x:port",
        "https://x?a=b",
    ],
)
def test_an_address_that_can_be_none_is_refused(refusal, address):
    line = refusal(f'[venues.deribit]\nbase_url = "{address}"\n')

    assert "venues.deribit.base_url" in line


def test_a_slash_at_the_end_of_an_address_does_not_matter(load):
    plain = load('[venues.deribit]\nbase_url = "https://x"\n').venues.deribit
    slashed = load('[venues.deribit]\nbase_url = "https://x/"\n').venues.deribit

    assert slashed == plain


@pytest.mark.parametrize("key", ["store.keep", "store.keep_chains"])
def test_a_time_to_keep_reaches_back_no_further_than_the_calendar(refusal, key):
    section, name = key.split(".")

    assert key in refusal(f'[{section}]\n{name} = "1000000d"\n')


@pytest.mark.parametrize("key", ["collector.every", "collector.stale_after", "store.keep"])
@pytest.mark.parametrize("text", ["", "30", "s", "-5s", "1 h", "0s", "0.0s", "1w", "inf"])
def test_a_duration_that_is_none_is_refused_by_its_key(refusal, key, text):
    section, name = key.split(".")

    assert key in refusal(f'[{section}]\n{name} = "{text}"\n')


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("30s", timedelta(seconds=30)),
        ("0.5s", timedelta(milliseconds=500)),
        ("15m", timedelta(minutes=15)),
        ("2h", timedelta(hours=2)),
        ("7d", timedelta(days=7)),
    ],
)
def test_a_duration_is_a_number_and_its_unit(text, value):
    assert duration(text, "x") == value


@pytest.mark.parametrize("text", ["99999999999999d", "0.0000001s"])
def test_a_duration_out_of_reach_is_refused(text):
    with pytest.raises(ConfigError, match=r"^store\.keep: "):
        duration(text, "store.keep")


def test_data_must_stay_fresh_longer_than_a_cycle(refusal):
    line = refusal('[collector]\nevery = "3m"\nstale_after = "3m"\n')

    assert "collector.stale_after" in line


@pytest.mark.parametrize("section", ["discord", "telegram"])
def test_a_chat_is_enabled_in_its_section(load, section):
    config = load(f"[{section}]\nenabled = true\n")

    assert getattr(config, section).enabled


def test_the_address_of_a_chat_is_kept_without_its_last_slash(load):
    config = load('[discord]\napi_base = "http://127.0.0.1:1/api/v10/"\n')

    assert config.discord.api_base == "http://127.0.0.1:1/api/v10"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[discord]\napi_base = "discord.com"\n', "discord.api_base"),
        ('[discord]\ngateway_url = "https://x"\n', "discord.gateway_url"),
        ('[discord]\napi_base = "http://x"\nshards = 2\n', "discord.gateway_url"),
        ('[telegram]\napi_base = ""\n', "telegram.api_base"),
        ('[telegram]\nmode = "webhook"\n', "telegram.webhook_url"),
    ],
)
def test_an_address_of_a_chat_that_is_none_is_refused_by_name(refusal, text, key):
    assert key in refusal(text)


def test_the_addresses_of_a_venue_follow_its_base_url(load):
    binance = load('[venues.binance]\nbase_url = "http://127.0.0.1:1"\n').venues.binance

    assert binance.futures_url == binance.spot_url == "http://127.0.0.1:1"
    assert binance.ws_url == "ws://127.0.0.1:1"


def test_an_address_that_was_changed_too_stays_as_it_is(load):
    text = '[venues.okx]\nbase_url = "https://x"\nws_url = "wss://y:1/"\n'

    assert load(text).venues.okx.ws_url == "wss://y:1"


def test_an_address_left_empty_is_the_public_one(load):
    assert load('[venues.okx]\nws_url = ""\n').venues.okx.ws_url == "wss://ws.okx.com:8443"


def test_a_stream_is_no_web_page(refusal):
    assert "venues.okx.ws_url" in refusal('[venues.okx]\nws_url = "https://x"\n')


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GAMMABELL_API__PORT", "http"),
        ("GAMMABELL_VENUES__DERIBIT__ENABLED", "perhaps"),
        ("GAMMABELL_VENUES__DERIBIT", "on"),
        ("GAMMABELL_STORE__URL__HOST", "x"),
        ("GAMMABELL_COLLECTOR__EVERY", "soon"),
        ("GAMMABELL_SYMBOLS__ALWAYS", ""),
        ("GAMMABELL_SYMBOLS__ALWAYS", "BTCUSDT,"),
        ("GAMMABELL___URL", "x"),
        ("GAMMABELL_STORE__", "x"),
    ],
)
def test_a_variable_that_does_not_fit_is_refused_by_its_name_or_key(refusal, variable, value):
    line = refusal("[log]\n", **{variable: value})

    key = variable.removeprefix("GAMMABELL_").lower().replace("__", ".")
    assert variable in line or key in line
    assert "config.toml" not in line


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(ConfigError, match=r"absent.toml: .+config\.example\.toml"):
        load_config(tmp_path / "absent.toml", {})


def test_a_folder_and_a_file_that_is_no_text_are_refused(tmp_path):
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")

    for path in (tmp_path, tmp_path / "bytes.toml"):
        with pytest.raises(ConfigError) as caught:
            load_config(path, {})
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)


def test_a_key_with_a_line_break_is_refused_in_one_line(refusal):
    assert "unknown key" in refusal('"a\\nb" = 1\n')


def test_the_origins_that_may_read_the_api_come_from_the_file_or_the_environment(load):
    written = load('[api]\ncors = ["https://example.org"]').api.cors
    named = load(GAMMABELL_API__CORS="https://a.example, http://localhost:3000").api.cors
    nobody = load('[api]\ncors = ["*"]', GAMMABELL_API__CORS="").api.cors

    assert written == ["https://example.org"]
    assert named == ["https://a.example", "http://localhost:3000"]
    assert nobody == []


def test_the_dashboards_address_is_kept_without_the_slash_that_ends_it(load):
    assert load('[api]\npublic_url = "https://bell.example.org/x/"').api.public_url == (
        "https://bell.example.org/x"
    )
    assert load().api.public_url == ""


@pytest.mark.parametrize("url", ["bell.example.org", "ftp://x", "https://", "https://x/?a=b"])
def test_a_dashboards_address_that_is_none_is_refused(refusal, url):
    assert "api.public_url" in refusal(f'[api]\npublic_url = "{url}"')


def test_proxies_are_addresses_or_networks(load, refusal):
    named = load(GAMMABELL_API__TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8").api.trusted_proxies

    assert named == ["127.0.0.1", "10.0.0.0/8"]
    for wrong in ("proxy.example.org", "10.0.0.1/8", ""):
        assert "api.trusted_proxies" in refusal(f'[api]\ntrusted_proxies = ["{wrong}"]')


@pytest.mark.parametrize(
    "origin", ["example.org", "https://example.org/", "https://Example.org", "", "ftp://x", "null"]
)
def test_an_origin_is_written_as_a_browser_names_it(refusal, origin):
    assert "api.cors" in refusal(f'[api]\ncors = ["{origin}"]')


def test_the_api_listens_somewhere(refusal):
    assert "api.host" in refusal('[api]\nhost = ""')


def test_the_counters_are_shown_here_or_anywhere(load, refusal):
    assert load('[api]\nmetrics = "anywhere"').api.metrics == "anywhere"
    assert "metrics" in refusal('[api]\nmetrics = "nowhere"')
