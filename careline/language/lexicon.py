"""What one listens for: every wording of every finding, and every word group, compiled once from `knowledge/`.

A wording becomes a `Pattern`: the meanings of its content words in order. A meaning is a word's stem, or the name of
its group in `knowledge/findings_composition.yml` ("tummy" and "abdominal" are both `abdomen`, "short of breath" is
`breathless`). Small words ("my", "of", "really") carry nothing and are left out, except where nothing but them makes
the wording ("on the pill").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from careline.language.common_words import COMMON, EVERYDAY, GENERAL
from careline.language.tokens import WORD, Speller, Token, stem, tokenise
from careline.language.wordlist import words

ROOT = Path(__file__).resolve().parents[2] / "knowledge"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _stems(words: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words.split())


FILLERS = _stems(
    "a an the my your his her their our its it i im ive id ill me he she they them him we us you this that these those "
    "there theres here be is am are was were been being has have had having do does did doing get gets got gotten "
    "getting very really quite so too extremely rather pretty just also even some any lot lots bit of in on at to for "
    "with from by as onto upon feel feels felt feeling seem seems seemed like keep keeps kept start started starts "
    "starting begin began when while whenever if and or nor plus well then which who what whose such than please about "
    "experience experiences experienced experiencing notice noticed noticing suffer suffers suffering complain "
    "complains complaining report reports reported present presents presented presenting develop developed develops "
    "show shows yes ok okay hi hello hey because since will would can could should may him hers hes shes theyre were "
    "patient pt make makes making made thing things stuff kind sort going something anything myself himself herself "
    "actually basically literally certain thats whats et al"
)
LIGHT = _stems(
    "up down out off over under through between around behind above below across along near next bad badly severe mild "
    "slight slightly left right whole part side constant terrible awful sudden suddenly new old same now today always "
    "often sometimes horrible nasty little big huge lower upper area region one both all every more most much today "
    "yesterday morning night tonight week day hour minute month year ago past last few couple again only still really "
    "bilateral intermittent occasional occasionally frequent recurrent persistent continuous intense dull sharp strong "
    "gradual gradually progressive daily central deep increasing increased marked several times episode episodes "
    "first second two three four five six seven eight nine ten"
)
NEGATIONS = words(
    "no not non aint without never nor neither none nil dont doesnt didnt isnt arent wasnt werent hasnt havent "
    "hadnt wouldnt deny denies denied denying nobody zero"
)
_NOT = _stems(
    " ".join(NEGATIONS - {"deny", "denies", "denied", "denying", "neither", "nobody", "nor"}) + " lack lacking"
)
_ORDERED = _stems("up down out off over")


@dataclass(frozen=True, slots=True)
class Finding:
    """What the parser needs of a finding; `parents` are all ancestors."""

    id: str
    name: str
    kind: str
    parents: frozenset[str]
    sex: str | None
    min_age: float | None
    max_age: float | None


@dataclass(frozen=True, slots=True)
class Pattern:
    """`units`: meanings in order. `literal`: exactly these words in a row. `ordered`: the order must hold."""

    finding: str
    units: tuple[str, ...]
    literal: bool
    ordered: bool


@dataclass(slots=True)
class Lexicon:
    """Compiled knowledge. `phrases` and `literals` map a first stem to (stems, meaning); longest first."""

    findings: dict[str, Finding] = field(default_factory=dict)
    patterns: dict[str, list[Pattern]] = field(default_factory=dict)
    literal_patterns: dict[str, list[tuple[tuple[str, ...], str]]] = field(default_factory=dict)
    single: dict[str, tuple[str, ...]] = field(default_factory=dict)
    phrases: dict[str, list[tuple[tuple[str, ...], str]]] = field(default_factory=dict)
    literals: dict[str, list[tuple[tuple[str, ...], str]]] = field(default_factory=dict)
    compose: dict[str, dict[str, str]] = field(default_factory=dict)
    specialise: dict[str, list[tuple[tuple[str, ...], str]]] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    speller: Speller | None = None
    children: dict[str, set[str]] = field(default_factory=dict)
    opposite_names: tuple[str, ...] = ()  # meanings "!finding" of words that deny it
    severity: dict[str, str] = field(default_factory=dict)
    normal_words: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()
    site_findings: frozenset[str] = frozenset()  # what composition can mean
    alone: dict[str, dict[str, str]] = field(default_factory=dict)  # stem -> {finding of the text: what it says}
    alone_present: frozenset[str] = frozenset()
    never: dict[str, frozenset[str]] = field(default_factory=dict)  # meaning -> words that do not have it
    refused: dict[str, frozenset[str]] = field(default_factory=dict)  # finding -> words that it never is made of
    by_unit: dict[str, list[Pattern]] = field(default_factory=dict)  # two-word patterns by each of their words

    def is_a(self, child: str, parent: str) -> bool:
        """True when `parent` is `child` or one of its ancestors."""
        known = self.findings.get(child)
        return child == parent or (known is not None and parent in known.parents)


def words_of(phrase: str) -> list[Token]:
    return [t for t in tokenise(phrase) if t.kind != "comma" and t.kind != "clause" and t.kind != "sentence"]


def content(stems: Sequence[str]) -> tuple[str, ...]:
    return tuple(s for s in stems if s not in FILLERS)


def _read(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _LOADER)
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return None  # one broken file must not silence the others; the knowledge check reports it


def build(entries: Iterable[Mapping[str, Any]], composition: Mapping[str, Any]) -> Lexicon:
    """Compile finding entries and the composition data. Broken entries are left out, never raised."""
    lexicon = Lexicon(data=dict(composition))
    surface: set[str] = set()
    _groups(lexicon, composition, surface)
    lexicon.alone = {stem(str(w)): dict(row) for w, row in (composition.get("alone") or {}).items()}
    lexicon.alone_present = frozenset(stem(str(w)) for w in composition.get("alone_present") or ())
    lexicon.never = {m: frozenset(map(str, w)) for m, w in (composition.get("never") or {}).items()}
    lexicon.refused = {f: frozenset(map(str, w)) for f, w in (composition.get("refused") or {}).items()}
    raw = [e for e in entries if isinstance(e, dict) and isinstance(e.get("id"), str)]
    parents = {e["id"]: [p for p in e.get("is_a") or [] if isinstance(p, str)] for e in raw}
    for entry in raw:
        ident = entry["id"]
        lexicon.findings[ident] = Finding(
            ident, str(entry.get("name", ident)), str(entry.get("kind", "symptom")),
            frozenset(_ancestors(ident, parents)), entry.get("sex"), entry.get("min_age"), entry.get("max_age"),
        )  # fmt: skip
        for parent in lexicon.findings[ident].parents:
            lexicon.children.setdefault(parent, set()).add(ident)
    known = lexicon.findings
    lexicon.compose = {
        sensation: {site: f for site, f in sites.items() if f in known}
        for sensation, sites in (composition.get("compose") or {}).items()
    }
    for finding, qualities in (composition.get("specialise") or {}).items():
        rows = [(tuple(str(q).split("+")), child) for q, child in (qualities or {}).items() if child in known]
        # more qualities are more specific, and what they become first
        lexicon.specialise[finding] = sorted(rows, key=lambda row: -len(row[0]))
    _opposites(lexicon, composition, surface)
    lexicon.normal_words = frozenset(str(w) for w in composition.get("normal_words") or ())
    lexicon.severity = {
        " ".join(t.text for t in words_of(str(word))): level
        for level, items in (composition.get("severity_levels") or {}).items()
        for word in items
    }
    _patterns(lexicon, raw, surface)
    lexicon.speller = Speller(
        surface,
        COMMON | EVERYDAY | GENERAL | _plain_words(raw) | FILLERS | LIGHT | NEGATIONS,
        glue=("my", "in", "on", "and", "the", "no"),
    )
    return lexicon


def _groups(lexicon: Lexicon, composition: Mapping[str, Any], surface: set[str]) -> None:
    single: dict[str, list[str]] = {}
    for meaning, items in (composition.get("words") or {}).items():
        for item in items:
            tokens = words_of(str(item))
            surface.update(t.text for t in tokens)
            stems = tuple(t.stem for t in tokens)
            if len(stems) == 1:
                if meaning not in single.setdefault(stems[0], []):
                    single[stems[0]].append(meaning)
            elif stems:
                _phrase(lexicon, stems, meaning)
    for meaning, items in (composition.get("also") or {}).items():
        for item in items:
            for token in words_of(str(item))[:1]:
                single.setdefault(token.stem, [])
                if f"~{meaning}" not in single[token.stem] and meaning not in single[token.stem]:
                    single[token.stem].append(f"~{meaning}")
    lexicon.single = {s: tuple(m) for s, m in single.items()}
    for table in (lexicon.phrases, lexicon.literals):
        for rows in table.values():
            rows.sort(key=lambda row: -len(row[0]))


def _opposites(lexicon: Lexicon, composition: Mapping[str, Any], surface: set[str]) -> None:
    names = []
    for finding, items in (composition.get("opposites") or {}).items():
        if finding not in lexicon.findings:
            continue
        names.append(f"!{finding}")
        for item in items:
            tokens = words_of(str(item))
            surface.update(t.text for t in tokens)
            stems = tuple(t.stem for t in tokens)
            rows = lexicon.literals.setdefault(stems[0], [])
            rows.append((stems, names[-1]))
    lexicon.opposite_names = tuple(names)
    for number, row in enumerate(composition.get("umbrella") or ()):
        for item in row.get("words") or ():
            tokens = words_of(str(item))
            surface.update(t.text for t in tokens)
            stems = tuple(t.stem for t in tokens)
            lexicon.literals.setdefault(stems[0], []).append((stems, f"%{number}"))
    for row in composition.get("relatives") or ():
        for item in row.get("words") or ():
            tokens = words_of(str(item))
            surface.update(t.text for t in tokens)
            stems = tuple(t.stem for t in tokens)
            lexicon.literals.setdefault(stems[0], []).append((stems, f"^{row['means']}"))


def _phrase(lexicon: Lexicon, stems: tuple[str, ...], meaning: str) -> None:
    inner = content(stems)
    if len(inner) >= 2:
        lexicon.phrases.setdefault(inner[0], []).append((inner, meaning))
    else:
        lexicon.literals.setdefault(stems[0], []).append((stems, meaning))


def _ancestors(ident: str, parents: Mapping[str, list[str]]) -> set[str]:
    seen: set[str] = set()
    todo = list(parents.get(ident, ()))
    while todo:
        current = todo.pop()
        if current not in seen and current != ident:
            seen.add(current)
            todo.extend(parents.get(current, ()))
    return seen


def _patterns(lexicon: Lexicon, raw: Iterable[Mapping[str, Any]], surface: set[str]) -> None:
    found: dict[tuple[str, tuple[str, ...]], Pattern] = {}
    for entry in raw:
        more = (lexicon.data.get("more") or {}).get(entry["id"]) or ()
        for wording in [*(entry.get("clinical") or ()), *(entry.get("patient") or ()), *more]:
            tokens = words_of(str(wording))
            surface.update(t.text for t in tokens)
            stems = tuple(t.stem for t in tokens)
            inner = content(stems)
            if not stems:
                continue
            few = len(inner) <= 1 and len(stems) > 1
            if _bare_denial(lexicon, stems) or (few and not _self_standing(lexicon, inner, entry)):
                row = (stems, entry["id"])
                rows = lexicon.literal_patterns.setdefault(stems[0], [])
                if row not in rows:
                    rows.append(row)
                continue
            if not inner:
                inner = stems
            for units in _variants(lexicon, stems, entry["id"]):
                ordered = any(u in ("NOT", "cannot") or u in _ORDERED for u in units)
                found.setdefault((entry["id"], units), Pattern(entry["id"], units, False, ordered))
    for meaning, ident in (lexicon.data.get("whole") or {}).items():
        if ident in lexicon.findings:
            found[ident, (meaning,)] = Pattern(ident, (meaning,), False, False)
    general = [f.id for f in lexicon.findings.values() if f.kind == "quality"]
    for ident, units in list(found):
        # "severe pain" is a quality, whatever else claims it; a child that is worded like its parent would
        # turn every mention of the parent into the child
        finding = lexicon.findings[ident]
        if len(units) == 2 and _composed_otherwise(lexicon, ident, units):
            del found[ident, units]
            continue
        if any((parent, units) in found for parent in finding.parents) or (
            finding.kind != "quality" and any((q, units) in found for q in general)
        ):
            del found[ident, units]
    count = Counter(unit for pattern in found.values() for unit in set(pattern.units))
    for pattern in found.values():
        anchor = min(pattern.units, key=lambda unit: (count[unit], unit))
        lexicon.patterns.setdefault(anchor, []).append(pattern)
    lexicon.site_findings = frozenset(f for sites in lexicon.compose.values() for f in sites.values())
    lexicon.sites = frozenset(site for sites in lexicon.compose.values() for site in sites)
    for pattern in found.values():
        if len(pattern.units) == 2:
            for unit in pattern.units:
                lexicon.by_unit.setdefault(unit, []).append(pattern)
    for rows in lexicon.literal_patterns.values():
        rows.sort(key=lambda row: -len(row[0]))


def _bare_denial(lexicon: Lexicon, stems: tuple[str, ...]) -> bool:
    """ "can't go on", "not taking it": too little besides the "not" to be looked for with gaps."""
    if not any(s in _NOT or "cannot" in lexicon.single.get(s, ()) for s in stems):
        return False
    rest = [s for s in content(stems) if s not in _NOT and "cannot" not in lexicon.single.get(s, ())]
    vague = _WEAK_VERBS | {s for s in rest if _VAGUE_GROUPS.intersection(lexicon.single.get(s, ()))}
    return len(stems) > 1 and all(s in vague for s in rest)


_VAGUE_GROUPS = frozenset(
    ["exertion", "rest", "morning", "night", "right", "left", "hot", "crampy", "side", "lose", "worse"]
)
_WEAK_VERBS = _stems(
    "go take do keep stop help hold come work cope be have make stay live get on down up out off anything bear stand "
    "finish touch turn use say know tell look bother care more back in away reach over"
)


def _plain_words(raw: Iterable[Mapping[str, Any]]) -> set[str]:
    """Words of the questions and explanations: correct English too."""
    found: set[str] = set()
    for entry in raw:
        for part in ("name", "plain", "ask", "ask_other", "help"):
            found.update(
                str(entry.get(part) or "").lower().replace(",", " ").replace("?", " ").replace(".", " ").split()
            )
    return found


def _composed_otherwise(lexicon: Lexicon, ident: str, units: tuple[str, ...]) -> bool:
    """Does sensation + site mean another finding than this wording says ("scratched eye" as "itchy eye")?"""
    for one, two in (units, units[::-1]):
        meant = lexicon.compose.get(one, {}).get(two)
        if meant is not None:
            return not (lexicon.is_a(meant, ident) or lexicon.is_a(ident, meant))
    return False


def _variants(lexicon: Lexicon, stems: tuple[str, ...], ident: str) -> Iterable[tuple[str, ...]]:
    """The meanings of a wording, with phrases read as one meaning and word by word.

    A single word stands for itself only: as a group it would claim every other word of the group ("bloodshot" is red
    eyes, "red" is not). Which groups are findings by themselves says `whole`.
    """
    lasting = ident.endswith(("_prolonged", "_persistent"))
    whole = lexicon.data.get("whole") or {}
    closest = _units(lexicon, stems, True)
    if len(closest) == 1 and closest[0] in whole and len(content(stems)) > 1:
        return  # "going to pass out" is a phrase of a group that is a finding already
    for units in {closest, _units(lexicon, stems, False)}:
        if len(units) > 1:
            if any(m in whole and whole[m] != ident for row, m in lexicon.phrases.get(units[0], ()) if row == units):
                continue
            if all(u in LIGHT for u in units) or len(set(units)) == 1 or (lasting and not _TIMES.isdisjoint(units)):
                continue
            yield units
    inner = content(stems)
    if len(inner) == 1 and inner[0] not in _NOT and inner[0] not in _VAGUE:
        yield inner


_TOLD = _stems("feel feeling going thing things anything something like")
_TIMES = _stems("day week month year hour long")
_VAGUE = LIGHT | _stems(
    "hang hanging patch patches strangle gear smack perc worse better worst improving poo ache wind contact type "
    "typing club drain pacing caving cave settled resolved glare flash crack cracked speed weed pot acid "
    "immersion nuts nut side problem trouble voice voices odd mug spice spicy snort suspicious rattle rattling "
    "scale punctum gag ritual avoidance stumble assault withdraw ectopic pants pant sparkle sparkly speck cluck "
    "fit ha guard bully flush plug bad pain hurt blood red hot cold swelling lump"
)


def _self_standing(lexicon: Lexicon, inner: tuple[str, ...], entry: Mapping[str, Any]) -> bool:
    """One content word that says it all ("on apixaban"): long, and also a wording by itself."""
    return (
        bool(inner)
        and len(inner[0]) >= 5
        and inner[0] in {stem(str(w).lower()) for w in [*(entry.get("clinical") or ()), *(entry.get("patient") or ())]}
    )


def _units(lexicon: Lexicon, stems: Sequence[str], with_phrases: bool) -> tuple[str, ...]:
    out: list[str] = []
    i, n = 0, len(stems)
    # "no feeling in my feet" is more than "no" and "feet"
    denied = any(s in _NOT or "cannot" in lexicon.single.get(s, ()) for s in stems)
    while i < n:
        if with_phrases:
            hit = longest_phrase(lexicon, stems, i)
            if hit:
                out.append(hit[0])
                i = hit[1]
                continue
        s = stems[i]
        i += 1
        if s in _NOT:
            out.append("NOT")
        elif s not in FILLERS or (denied and s in _TOLD):
            groups = [m for m in lexicon.single.get(s, ()) if m[0] != "~"]
            out.append(groups[0] if groups else s)
    return tuple(out)


def longest_phrase(lexicon: Lexicon, stems: Sequence[str], i: int) -> tuple[str, int] | None:
    """(meaning, index after it) of the longest group phrase that begins at stem i, or None. For wordings: there
    "left side" must stay left."""
    hits = [hit for hit in phrases_at(lexicon, stems, i, len(stems)) if hit[0][0] not in "!^%" and hit[0] != "one_side"]
    return max(hits, key=lambda hit: hit[1]) if hits else None


def phrases_at(lexicon: Lexicon, stems: Sequence[str], i: int, end: int) -> list[tuple[str, int]]:
    """All (meaning, index after it) of group phrases that begin at stem i and end before `end`."""
    hits: list[tuple[str, int]] = []
    for row, meaning in lexicon.literals.get(stems[i], ()):
        n = len(row)
        if i + n <= end and all(stems[i + k] == row[k] for k in range(1, n)):
            hits.append((meaning, i + n))
    for row, meaning in lexicon.phrases.get(stems[i], ()):
        k, j = 1, i + 1
        while k < len(row) and j < end:
            if stems[j] == row[k]:
                k += 1
            elif stems[j] not in FILLERS or (meaning in _TIGHT and stems[j] not in _OF):
                break  # "back and legs" is not the back of the leg
            j += 1
        if k == len(row):
            hits.append((meaning, j))
    return hits


_TIGHT = frozenset(["calf", "achilles", "heel"])
_OF = _stems("of the my his her their lower left right")


def meanings(lexicon: Lexicon, token: Token) -> tuple[str, ...]:
    """What a word of a text can mean: its stem and its groups."""
    if token.kind != WORD:
        return (token.stem,)
    if token.stem in _NOT:
        return ("NOT",)
    groups = lexicon.single.get(token.stem)
    if not groups:
        return (token.stem,)
    return (token.stem, *groups)


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The compiled knowledge of this installation."""
    entries: list[Any] = []
    for path in sorted(ROOT.glob("findings/*.yml")):
        content_ = _read(path)
        if isinstance(content_, list):
            entries += content_
    composition = _read(ROOT / "findings_composition.yml")
    return build(entries, composition if isinstance(composition, dict) else {})
