"""Reading Dash trees in tests."""

from collections.abc import Iterator
from typing import Any

from dash.development.base_component import Component


def walk(tree: Any) -> Iterator[Any]:
    """Yield every node of a tree, texts included, in document order."""
    if isinstance(tree, list | tuple):
        for child in tree:
            yield from walk(child)
        return
    yield tree
    if isinstance(tree, Component):
        yield from walk(getattr(tree, "children", None) or [])


def text(tree: Any) -> str:
    """Return all text of a tree, pieces apart by spaces."""
    return " ".join(str(node) for node in walk(tree) if isinstance(node, str | int))


def having(tree: Any, name: str, value: str | None = None) -> list[Any]:
    """Return the nodes that have an attribute, of that value when one is given."""
    found = [
        node
        for node in walk(tree)
        if isinstance(node, Component) and name in node.to_plotly_json()["props"]
    ]
    return [
        node for node in found if value is None or node.to_plotly_json()["props"][name] == value
    ]


def kind(tree: Any, name: str) -> list[Any]:
    """Return the nodes of a type, as H1."""
    return [node for node in walk(tree) if type(node).__name__ == name]
