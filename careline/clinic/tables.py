"""All tables at once: migrations and `create_all` in tests need every model imported."""

from __future__ import annotations

import importlib
import pkgutil

from sqlalchemy import MetaData

import careline.clinic
from careline.clinic.db import Base


def metadata() -> MetaData:
    """The metadata with every model module of careline.clinic loaded."""
    for module in pkgutil.walk_packages(careline.clinic.__path__, "careline.clinic."):
        if ".migrations" not in module.name and not module.name.endswith(".tables"):
            importlib.import_module(module.name)
    return Base.metadata
