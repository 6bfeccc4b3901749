import subprocess
import sys

import pytest

from bot.core.secret import Secret
from bot.errors import ConfigError
from bot.tokens import read_token


def test_a_token_comes_from_the_environment():
    token = read_token("discord", {"GAMMABELL_DISCORD_TOKEN": "abc.def\n"})

    assert token.reveal() == "abc.def"


def test_a_token_comes_from_the_file_that_the_environment_names(tmp_path):
    file = tmp_path / "token"
    file.write_text("123:abc\n")

    token = read_token("telegram", {"GAMMABELL_TELEGRAM_TOKEN_FILE": str(file)})

    assert token.reveal() == "123:abc"


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, "set GAMMABELL_DISCORD_TOKEN to the bot's token"),
        ({"GAMMABELL_DISCORD_TOKEN_FILE": "/nowhere/token"}, "No such file"),
        ({"GAMMABELL_DISCORD_TOKEN": "two words"}, "this is no token"),
    ],
)
def test_what_is_wrong_with_a_token_is_told_without_it(environment, told):
    with pytest.raises(ConfigError, match=told) as caught:
        read_token("discord", environment)

    assert "two words" not in str(caught.value)


def test_a_secret_does_not_show_itself():
    secret = Secret("abc.def")

    assert "abc.def" not in f"{secret} {secret!r} {[secret]}"


TELLING = """
import logging
from bot.core.secret import Secret
from bot.log import hide, set_up

set_up("INFO")
hide(Secret("123:abc"))
logging.getLogger("httpx").info("POST https://host/bot123:abc/getMe")
logging.getLogger("x").warning("token %s", "123:abc")
try:
    raise RuntimeError("https://host/bot123:abc")
except RuntimeError:
    logging.getLogger("x").exception("failed")
raise RuntimeError("at last: 123:abc")
"""


def test_no_log_and_no_traceback_shows_a_secret():
    told = subprocess.run(
        [sys.executable, "-c", TELLING], capture_output=True, text=True, check=False
    ).stderr

    assert "123:abc" not in told
    assert "token ***" in told
    assert told.count("Traceback") == 2
    assert "at last: ***" in told
