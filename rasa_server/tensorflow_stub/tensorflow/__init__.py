"""Stands in for TensorFlow: Rasa imports it at start-up even when no component of the pipeline uses it.

Importing anything from it works. Using it fails: a stub that let DIET or TED "train" would save a model that knows
nothing, with exit code 0. So constructing a model, a layer or a data sequence raises NotInstalled.
"""

import importlib.abc
import importlib.machinery
import sys
import types

ROOTS = ("tensorflow", "keras", "tensorflow_addons", "tensorflow_hub", "tensorflow_text")


class NotInstalled(RuntimeError):
    """Something of the pipeline in config.yml needs the real TensorFlow."""


class _Anything(type):
    """Classes whose every attribute is another such class, so that annotations and base classes can be read."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _placeholder(name)

    def __getitem__(cls, item):
        return cls

    def __or__(cls, other):
        return cls

    __ror__ = __or__


class Placeholder(metaclass=_Anything):
    """Any name of TensorFlow."""

    def __init__(self, *args, **kwargs):
        raise NotInstalled(
            "This environment has no TensorFlow: DIET, TED and ResponseSelector cannot be used. "
            "Take them out of config.yml, or replace rasa_server/tensorflow_stub by the real package."
        )

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__()

    def __class_getitem__(cls, item):
        return cls


def _placeholder(name):
    return _Anything(name, (Placeholder,), {})


class function:
    """`@tf.function` decorates methods of models at import time: hand them back unchanged."""

    def __new__(cls, func=None, **kwargs):
        return func if func is not None else (lambda inner: inner)


class _Module(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "function":
            return function
        value = _placeholder(name)
        setattr(self, name, value)
        return value


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname, path=None, target=None):
        if fullname.split(".")[0] in ROOTS:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        return _Module(spec.name)

    def exec_module(self, module):
        module.__path__ = []


sys.meta_path.append(_Finder())
__version__ = "2.12.0"


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return _placeholder(name)
