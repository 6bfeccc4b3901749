"""What Discord's own client does with synced commands and components before it tells the bot."""

from tests.fakes.discord_invocation import labelled
from tests.fakes.discord_model import walk

SUBCOMMAND, GROUP = 1, 2
STRING, INTEGER, BOOLEAN, NUMBER = 3, 4, 5, 10


def find_command(commands, name):
    """The top command and the chain of options down to what `name` says, "alert add"."""
    top, *rest = name.split()
    command = only(commands, top, "command")
    path = []
    node = command
    for word in rest:
        node = only(node.get("options") or (), word, f"subcommand of {top}")
        path.append(node)
    children = [o for o in node.get("options") or () if o["type"] in (SUBCOMMAND, GROUP)]
    assert not children, f"/{name} is a group of {[c['name'] for c in children]}"
    return command, path, node


def only(nodes, name, what):
    found = [node for node in nodes if node["name"] == name]
    assert found, f"no {what} {name!r}, only {sorted(node['name'] for node in nodes)}"
    return found[0]


def command_data(commands, name, values, focused=None):
    """The `data` of an interaction. Raises AssertionError for what people cannot enter."""
    command, path, leaf = find_command(commands, name)
    options = [option_value(leaf, key, value, focused) for key, value in values.items()]
    missing = {o["name"] for o in leaf.get("options") or () if o.get("required")} - set(values)
    assert focused or not missing, f"/{name} needs {sorted(missing)}"
    for node in reversed(path):
        options = [{"name": node["name"], "type": node["type"], "options": options}]
    return {"id": command["id"], "name": command["name"], "type": 1, "options": options}


def option_value(leaf, key, value, focused):
    option = only(leaf.get("options") or (), key, f"option of {leaf['name']}")
    if key != focused:
        check_value(option, value)
    else:
        assert option.get("autocomplete"), f"{key} has no autocomplete"
    entered = {"name": key, "type": option["type"], "value": value}
    return {**entered, "focused": True} if key == focused else entered


def check_value(option, value):
    """What the input field of the option would not take."""
    kinds = {STRING: str, INTEGER: int, BOOLEAN: bool, NUMBER: (int, float)}
    assert isinstance(value, kinds.get(option["type"], object)), f"{option['name']}={value!r}"
    choices = [choice["value"] for choice in option.get("choices") or ()]
    assert not choices or value in choices, f"{option['name']}={value!r} is none of {choices}"
    if option["type"] == STRING:
        least, most = option.get("min_length", 0), option.get("max_length", 6000)
        assert least <= len(value) <= most, f"{option['name']}={value!r} is too short or long"
    if option["type"] in (INTEGER, NUMBER):
        assert option.get("min_value", value) <= value <= option.get("max_value", value)


def check_offered(command, context, install):
    """That people find the command here: 0 guild, 1 the bot's DM, 2 elsewhere."""
    contexts = command.get("contexts")
    installs = command.get("integration_types")
    assert contexts is None or context in contexts, f"/{command['name']} is not offered here"
    assert install in (installs or [0]), f"/{command['name']} is not for this way of installing"


def find_button(message, label):
    buttons = [c for c in walk(message.components) if c["type"] == 2]
    found = [b for b in buttons if label in (b.get("label"), b.get("custom_id"))]
    assert found, f"no button {label!r}, only {[b.get('label') for b in buttons]}"
    assert not found[0].get("disabled"), f"button {label!r} is disabled"
    assert "custom_id" in found[0], f"button {label!r} is a link"
    return {"custom_id": found[0]["custom_id"], "component_type": 2}


def find_choice(message, menu, labels):
    selects = [c for c in walk(message.components) if c["type"] == 3]
    found = [s for s in selects if menu in (s.get("placeholder"), s["custom_id"])]
    assert found, f"no menu {menu!r}, only {[s.get('placeholder') for s in selects]}"
    assert not found[0].get("disabled"), f"menu {menu!r} is disabled"
    least, most = found[0].get("min_values", 1), found[0].get("max_values", 1)
    assert least <= len(labels) <= most, f"{menu!r} takes {least} to {most} values"
    values = [option_of(found[0], label) for label in labels]
    return {"custom_id": found[0]["custom_id"], "component_type": 3, "values": values}


def option_of(select, label):
    options = {option["label"]: option["value"] for option in select["options"]}
    assert label in options, f"no choice {label!r}, only {list(options)}"
    return options[label]


def modal_data(modal, values):
    """The `data` of a submitted form; inputs that are not named keep what they hold."""
    fields = dict(labelled(modal.components))
    assert set(values) <= set(fields), f"the form has only {list(fields)}"
    entered = {id(part): answer(part, label, values) for label, part in fields.items()}
    return {
        "custom_id": modal.custom_id,
        "components": [filled(part, entered) for part in modal.components],
    }


def answer(part, label, values):
    """What one input submits."""
    own = {"type": part["type"], "custom_id": part["custom_id"], "id": part.get("id", 0)}
    if part["type"] == 3:
        chosen = [values[label]] if label in values else []
        assert chosen or not part.get("required", True), f"{label!r} is required"
        return {**own, "values": [option_of(part, value) for value in chosen]}
    text = values.get(label, part.get("value") or "")
    least, most = part.get("min_length") or 0, part.get("max_length") or 4000
    assert text or not part.get("required", True), f"{label!r} is required"
    assert not text or least <= len(text) <= most, f"{label!r} takes {least} to {most} characters"
    return {**own, "value": text}


def filled(part, entered):
    own = {"type": part["type"], "id": part.get("id", 0)}
    if part["type"] == 18:
        return {**own, "component": entered[id(part["component"])]}
    if part["type"] == 1:
        return {**own, "components": [entered[id(p)] for p in part["components"]]}
    return own
