"""Scripts as a browser gets them: each with all that it imports, so that it need not ask for each.

The modules are as they were written, every one within a function that gives what it exports.
"""

import re
from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter

IMPORT = re.compile(r'^import \{ (.+) \} from "\./(.+)";$', re.MULTILINE)
EXPORT = re.compile(r"^export ((?:async function|function|class|const) (\w+))", re.MULTILINE)
OTHER = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)  # in a form that is not ours
LATER = re.compile(r'\bimport\("\./(.+?)"\)')  # what a script fetches once the page stands
FETCHED = re.compile(r'^import \* as \S+ from "\./(.+)";$', re.MULTILINE)

Texts = Mapping[str, str]  # by name


def joined(scripts: Texts) -> dict[str, str]:
    """The scripts that no other imports, each behind all that it imports.

    What is none of them, fetched from others, stays an import. Raises ValueError for modules that
    import each other, or in a form that is not ours.
    """
    inner = {one for text in scripts.values() for one in _imports(text)}
    return {name: _whole(name, scripts) for name in scripts if name not in inner}


def later(name: str, joined_scripts: Texts) -> Sequence[str]:
    """What the script fetches once the page stands, and what that imports."""
    own = LATER.findall(joined_scripts.get(name, ""))
    return [*own, *(one for script in own for one in FETCHED.findall(joined_scripts[script]))]


def _imports(text: str) -> Sequence[str]:
    return [name for _, name in IMPORT.findall(text)]


def _whole(name: str, scripts: Texts) -> str:
    """The script behind what it imports."""
    graph, waiting = {}, [name]
    while waiting:
        one = waiting.pop()
        graph[one] = _imports(scripts.get(one, ""))
        waiting += [other for other in graph[one] if other not in graph]
    *order, _ = TopologicalSorter(graph).static_order()  # the script itself comes last
    fetched = [f'import * as {_held(one)} from "./{one}";\n' for one in order if one not in scripts]
    parts = [_part(one, scripts[one]) for one in order if one in scripts]
    return "".join([*fetched, *parts, _body(name, scripts[name])])


def _part(name: str, text: str) -> str:
    """The module within a function."""
    body = EXPORT.sub(r"\1", _body(name, text))
    given = ", ".join(exported for _, exported in EXPORT.findall(text))
    return f"// {name}\nconst {_held(name)} = (() => {{\n{body}return {{ {given} }};\n}})();\n"


def _body(name: str, text: str) -> str:
    """The module with what it imports taken from the functions before it. Raises ValueError."""
    body = IMPORT.sub(lambda found: f"const {{ {found[1]} }} = {_held(found[2])};", text)
    if other := OTHER.search(EXPORT.sub("", body)):
        raise ValueError(f"{name}: {other[0]}")
    return body


def _held(name: str) -> str:
    """What has the module's exports."""
    return "$" + re.sub(r"\W", "_", name)
