"""Reads YAML, remembers the line of each key and item, and keeps every key as text.

In YAML 1.1 a key `null:` or `on:` without quotes is not text. Contracts have such keys and mean the
words.
"""

from dataclasses import dataclass
from typing import Any

import yaml

Location = tuple[int | str, ...]
_MOST_VALUES = 100_000  # nested aliases can stand for far more values than the file has
# libyaml is six times as fast. It recurses on the C stack, which some 20,000 levels overflow:
# https://github.com/yaml/pyyaml/blob/6.0.3/yaml/_yaml.pyx (_compose_node)
_MOST_FOR_LIBYAML = 10_000  # characters, so fewer levels


class YamlMistake(Exception):  # noqa: N818  (a mistake of the file's author, not of the program)
    """The text is not YAML, or no contract can be written so. `line` counts from 1."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line
        self.text = text


@dataclass(frozen=True, slots=True)
class LinedYaml:
    """Plain data, and the line where each part of the data begins."""

    data: Any
    lines: dict[Location, int]

    def line(self, location: Location) -> int:
        """Return the line of `location`, or of the nearest part above it that exists."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)


def read_yaml(text: str) -> LinedYaml:
    """Read one YAML document.

    Raises:
        YamlMistake: the text is not YAML, a mapping has a key twice, or a key is not plain text.
    """
    lines: dict[Location, int] = {}
    try:
        node = _compose(text)
        if node is None:
            raise YamlMistake(1, "is empty; write a contract or remove the file")
        return LinedYaml(_plain(node, (), lines), lines)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise YamlMistake(line, f"is not YAML: {error.problem}; correct it") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlMistake(line, f"holds a character U+{error.character:04X}; remove it") from error
    except RecursionError as error:
        text = "is nested too deeply, or an alias holds itself; write it out"
        raise YamlMistake(1, text) from error


def _compose(text: str) -> yaml.Node | None:
    if yaml.__with_libyaml__ and len(text) <= _MOST_FOR_LIBYAML:
        try:
            return yaml.compose(text, Loader=yaml.CSafeLoader)
        except yaml.YAMLError:
            pass  # libyaml has other messages and counts bytes: let PyYAML report the mistake
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _plain(node: yaml.Node, at: Location, lines: dict[Location, int]) -> Any:  # noqa: ANN401
    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        _refuse_surrogates(node)
    if len(lines) > _MOST_VALUES:
        raise YamlMistake(node.start_mark.line + 1, "is too large for a contract; write less")
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, at, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*at, number), lines) for number, item in enumerate(node.value)]
    try:
        return yaml.constructor.SafeConstructor().construct_object(node)
    except (ValueError, LookupError, AttributeError) as error:
        line = node.start_mark.line + 1
        text = f"{node.value!r} is not a value{_why(error)}; put it in quotes"
        raise YamlMistake(line, text) from error


def _mapping(node: yaml.MappingNode, at: Location, lines: dict[Location, int]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise YamlMistake(line, "a key is not plain text; write key: value")
        _refuse_surrogates(key)
        if key.value in mapping:
            raise YamlMistake(line, f"key {key.value!r} is here twice; keep one")
        lines[*at, key.value] = line
        mapping[key.value] = _plain(value, (*at, key.value), lines)
    return mapping


def _refuse_surrogates(node: yaml.ScalarNode) -> None:
    # "\ud800" is a surrogate: half of a UTF-16 character, which is not text.
    if any(0xD800 <= ord(character) <= 0xDFFF for character in node.value):
        raise YamlMistake(
            node.start_mark.line + 1, "holds half of a character; write the whole character"
        )


def _why(error: Exception) -> str:
    # Only the message of a ValueError helps the author of a contract.
    return f": {error}" if isinstance(error, ValueError) else ""
