import pytest

from bot.core.places import may_have_topics, platform_of


def test_the_right_to_manage_is_called_as_its_platform_calls_it():
    assert platform_of("discord:42").manager == "Manage Server"
    assert platform_of("telegram:-100").manager == "chat admin"


@pytest.mark.parametrize(
    ("target", "may"),
    [
        ("telegram:-100", True),
        ("telegram:-100/7", False),
        ("telegram:7", False),
        ("discord:42", False),
        ("terminal:", False),
    ],
)
def test_only_a_telegram_group_may_have_topics(target, may):
    assert may_have_topics(target) is may
