"""Finding a condition by whatever name a case gives it: case, spelling, plural, UK or US, word order."""

from __future__ import annotations

import re

from careline.knowledge import Knowledge

_SPELLINGS = (
    ("haem", "hem"),
    ("oedema", "edema"),
    ("oesoph", "esoph"),
    ("diarrhoea", "diarrhea"),
    ("anaem", "anem"),
    ("leukaem", "leukem"),
    ("ischaem", "ischem"),
    ("paed", "ped"),
    ("tumour", "tumor"),
    ("foetal", "fetal"),
    ("orrhoea", "orrhea"),
    ("caem", "cem"),
    ("naem", "nem"),
    ("coeliac", "celiac"),
    ("orrhage", "orrhage"),
    ("isation", "ization"),
    ("aemia", "emia"),
    ("tonsill", "tonsil"),
    ("tendonitis", "tendinitis"),
    ("tendinopathy", "tendinitis"),
    ("venous", "vein"),
    ("cancer", "carcinoma"),
)
_FILLERS = frozenset(("the", "a", "an", "of", "in", "with", "and", "or", "to", "by", "on", "acute", "possible"))
_FILLERS |= frozenset(("suspected", "disease", "disorder", "syndrome"))


def key(name: str) -> tuple[str, ...]:
    """The words of a name without accidents of spelling, in alphabetical order."""
    folded = name.casefold().replace("-", " ").replace("'s", "").replace("'", "")
    folded = re.sub(r"\([^)]*\)", " ", folded)
    for british, plain in _SPELLINGS:
        folded = folded.replace(british, plain)
    words = re.findall(r"[a-z0-9]+", folded)
    return tuple(sorted(_singular(word) for word in words))


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "is", "us")):
        return word[:-1]
    return word


class Names:
    def __init__(self, knowledge: Knowledge) -> None:
        self._exact: dict[tuple[str, ...], set[str]] = {}
        self._loose: dict[tuple[str, ...], set[str]] = {}
        for condition in knowledge.conditions.values():
            for name in (condition.name, condition.id.replace("_", " "), *condition.synonyms):
                words = key(name)
                self._exact.setdefault(words, set()).add(condition.id)
                self._loose.setdefault(_core(words), set()).add(condition.id)

    def find(self, name: str) -> frozenset[str]:
        """The conditions that go by this name; empty when none does. Filler words count only when they must."""
        words = key(name)
        return frozenset(self._exact.get(words) or self._loose.get(_core(words)) or ())


def _core(words: tuple[str, ...]) -> tuple[str, ...]:
    kept = tuple(word for word in words if word not in _FILLERS)
    return kept or words
