"""The text catalogue: every sentence that is neither dialogue (`domain.yml`) nor clinical knowledge.

All `*.yml` files of this folder are merged into one tree; `text("emergency.call_ems.self", number="999")` looks
a sentence up by its dotted path and fills its `{names}`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent


def _merge(into: dict[str, Any], more: dict[str, Any], path: str) -> None:
    for key, value in more.items():
        here = f"{path}.{key}" if path else str(key)
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value, here)
        elif key in into:
            raise ValueError(f"the text '{here}' stands in two files of {FOLDER}")
        else:
            into[key] = value


@lru_cache(maxsize=1)
def catalogue() -> dict[str, Any]:
    """The whole tree. ValueError when two files give the same text."""
    tree: dict[str, Any] = {}
    for file in sorted(FOLDER.glob("*.yml")):
        _merge(tree, yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) or {}, "")
    return tree


def branch(path: str) -> Any:
    """What stands under a dotted path: a sentence, or a tree of them. KeyError names the path."""
    node: Any = catalogue()
    for part in path.split("."):
        if not isinstance(node, dict) or part not in node:
            raise KeyError(f"no text '{path}' in the catalogue")
        node = node[part]
    return node


def text(path: str, **values: object) -> str:
    """The sentence at `path` with its `{names}` filled. KeyError when the text or a value is missing."""
    sentence = branch(path)
    if not isinstance(sentence, str):
        raise KeyError(f"'{path}' is not one sentence")
    return sentence.format(**values).strip()


def has(path: str) -> bool:
    """Whether there is a sentence at `path`."""
    try:
        return isinstance(branch(path), str)
    except KeyError:
        return False
