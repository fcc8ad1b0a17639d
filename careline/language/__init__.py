"""What a patient typed -> findings, numbers, who, when, negated or not; and the red-flag screen. Pure: no I/O but
reading `knowledge/` once, at the first use."""

# The modules `screen` and `parse` share their names with their functions: binding the functions here, once and for
# all, is what makes `from careline.language import screen` mean the function whoever imported what before.
from careline.language.parse import parse
from careline.language.person import Person
from careline.language.screen import Flag, Screen, screen

__all__ = ["Flag", "Person", "Screen", "parse", "screen"]
