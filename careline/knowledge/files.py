"""Where the knowledge lives, and reading it fast."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2] / "knowledge"

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_SINGLE = ("rules.yml", "complaints.yml", "derived.yml", "triage_parameters.yml")


class _UniqueKeys(Loader):  # type: ignore[misc, valid-type]
    """A key written twice in one map is a slip of the pen: YAML would silently keep the last one."""


def _map(loader: Any, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key, _ in node.value:
        name = loader.construct_object(key, deep=True)
        if name in seen:
            raise yaml.constructor.ConstructorError(None, None, f"key {name!r} twice", key.start_mark)
        seen.add(name)
    return dict(yaml.constructor.SafeConstructor.construct_mapping(loader, node, deep=True))


_UniqueKeys.add_constructor("tag:yaml.org,2002:map", _map)


def read(path: Path) -> Any:
    """The content of one YAML file. yaml.YAMLError when it is not YAML or has a key twice in one map."""
    return yaml.load(path.read_text(encoding="utf-8"), _UniqueKeys)


def knowledge_files(root: Path = ROOT) -> list[Path]:
    """The files that reasoning depends on, in a fixed order."""
    found = [*root.glob("findings/*.yml"), *root.glob("conditions/*.yml")]
    found += [root / name for name in _SINGLE]
    return sorted(path for path in found if path.exists())


def content_hash(paths: list[Path]) -> str:
    """SHA-256 over names and bytes of the files: the version of the knowledge."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.parent.name}/{path.name}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
