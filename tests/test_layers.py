"""Who may import whom: read from the imports, so that the direction of things stays true."""

import ast
import sys
from pathlib import Path

import pytest

BOT = Path(__file__).parents[1] / "bot"
ADAPTERS = ("exchanges", "store", "charts", "recording", "sim", "chat", "api")
FOREIGN = {
    "core": {"numpy"},
    "service": set(),
    "ports": set(),
    "errors": set(),
    "clock": set(),
    "exchanges": {"aiohttp", "msgspec", "numpy"},
    "recording": {"msgspec"},
    "store": {"alembic", "msgspec", "numpy", "sqlalchemy"},
    "charts": {"matplotlib", "numpy"},
    "sim": {"aiohttp", "msgspec", "numpy"},
    "chat": {"aiohttp", "discord", "rich", "telegram", "yarl"},
    "api": {"aiohttp", "msgspec"},
}
OURS = {
    "core": {"core", "errors"},
    "service": {"core", "ports", "errors", "service"},
    "ports": {"core"},
    "errors": set(),
    "clock": set(),
    **{adapter: {"core", "ports", "errors", adapter} for adapter in ADAPTERS},
    "sim": {"clock", "core", "errors", "sim"},
}


def imported(path):
    """The modules that a file imports, wherever in it: `bot.core.gex`, `numpy`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            if node.module == "bot":
                yield from (f"bot.{name.name}" for name in node.names)
            else:
                yield node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def files(layer):
    return sorted((BOT / layer).rglob("*.py")) or [BOT / f"{layer}.py"]


@pytest.mark.parametrize("layer", OURS)
def test_a_layer_imports_only_what_it_may_know(layer):
    known = {f"bot.{name}" for name in OURS[layer]} | FOREIGN[layer] | sys.stdlib_module_names

    strangers = [
        f"{path.relative_to(BOT)} imports {module}"
        for path in files(layer)
        for module in imported(path)
        if module.split(".")[0] not in known and ".".join(module.split(".")[:2]) not in known
    ]

    assert strangers == []


def test_every_folder_is_a_layer_that_is_watched():
    folders = {path.parent.name for path in BOT.glob("*/__init__.py")}

    assert folders <= OURS.keys()


def test_only_the_composition_imports_adapters():
    makers = {
        path.name
        for path in BOT.glob("*.py")
        if any(module.split(".")[1:2] in [[one] for one in ADAPTERS] for module in imported(path))
    }

    assert makers <= {
        "app.py",
        "cli.py",
        "eventfile.py",
        "health.py",
        "markets.py",
        "platforms.py",
        "program.py",
        "tasks.py",
    }
