"""Finds findings in tokens: wordings (in order, with gaps, turned round), body site x sensation, and what specialises.

Works sentence by sentence. A `Match` is a claim on some tokens; `resolve` lets the longer and tighter claims win.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from careline.language.lexicon import FILLERS, LIGHT, NEGATIONS, Lexicon, Pattern, meanings, phrases_at
from careline.language.tokens import CLAUSE, COMMA, NUMBER, WORD, Token
from careline.language.wordlist import words

_REACH = 9  # content words to either side in which the other words of a wording are looked for
_FAR = 99.0
_DENIED = 1.0
_LEADS = frozenset(["in", "of", "on", "to", "around", "round", "across", "both", "all", "over", "into", "down"])
_NOUNS = frozenset(["boil", "wart", "burn", "cut", "graz", "bruis", "cold", "stress"])
_VERBAL = frozenset(["gap", "spot", "club", "flood", "kick", "stool", "wind", "scale", "crack"])
_CALLERS = words(
    "me us him her them name names voice voices pain touch anyone anything anybody commands stimuli questions sound shaking"
)
_TOPICS = words(
    "problem problems issue issues trouble troubles difficulty difficulties complaint complaints concern concerns"
)
_PARTICLES = words("up down out off over under through all now today left right bad")
_WHEN = words("last this since yesterday tomorrow other monday sunday saturday friday")
_JOINS = frozenset(["and", "or", "nor", "&", "+"])


@dataclass(slots=True)
class Match:
    """`tokens`: indexes that carry the finding. `cost`: how far from the wording itself (0 is exact)."""

    finding: str
    tokens: tuple[int, ...]
    cost: float
    composed: bool = False
    negations: tuple[int, ...] = ()
    specialised: bool = False

    @property
    def start(self) -> int:
        return self.tokens[0]

    @property
    def end(self) -> int:
        return self.tokens[-1] + 1


@dataclass(slots=True)
class Sentence:
    """One stretch of tokens between sentence breaks, with the meanings of each place."""

    tokens: Sequence[Token]
    begin: int
    end: int
    at: dict[str, list[tuple[int, int]]] = field(default_factory=dict)  # meaning -> [(first, after last token)]
    weight: list[float] = field(default_factory=list)  # prefix sums of gap costs
    loose: list[float] = field(default_factory=list)  # the same where lists may come in between
    stems: list[str] = field(default_factory=list)


def read(lexicon: Lexicon, tokens: Sequence[Token], begin: int, end: int) -> Sentence:
    """Meanings and gap costs of tokens[begin:end]."""
    sentence = Sentence(tokens, begin, end, stems=[t.stem for t in tokens])
    at, total, easy = sentence.at, 0.0, 0.0
    sums, easier = [0.0], [0.0]
    for i in range(begin, end):
        token = tokens[i]
        cost = _gap(token)
        total += cost
        sums.append(total)
        easy += (
            0.7
            if token.kind == COMMA or token.text in _JOINS or token.text == "then"
            else cost
            if cost < _FAR
            else _DENIED
        )
        easier.append(easy)
        if token.kind in (COMMA, CLAUSE):
            continue
        if token.text == "and" and i > begin and i + 1 < end and tokens[i + 1].text in _AROUND_SITE:
            # "pain in and above my left eye"
            sums[-1], easier[-1] = sums[-2], easier[-2]
            total, easy = sums[-1], easier[-1]
            continue
        if token.stem in ("night", "morn", "morning") and i > begin and tokens[i - 1].text in _WHEN:
            continue  # "since last night" says when it began, not when it comes
        for meaning in meanings(lexicon, token):
            if token.text in lexicon.never.get(meaning, ()) or (meaning == "back" and _particle(tokens, i, end)):
                continue
            at.setdefault(meaning, []).append((i, i + 1))
        if token.stem in lexicon.phrases or token.stem in lexicon.literals:
            for meaning, after in phrases_at(lexicon, sentence.stems, i, end):
                at.setdefault(meaning, []).append((i, after))
    sentence.weight, sentence.loose = sums, easier
    return sentence


_AROUND_SITE = words("above around behind over under below across beneath near")
_MOVES = words(
    "go goes going went gone come comes came coming push pushes pushed put get gets got flew fly drove right straight "
    "bring brings brought turn turned call called ring rang pop popped slide slides bounce report text spit is its"
)


def _particle(tokens: Sequence[Token], i: int, end: int) -> bool:
    """ "won't go back in", "came back from Lagos", "back of my hand": not the body part."""
    before = tokens[i - 1].text if i else ""
    after = tokens[i + 1].text if i + 1 < end else ""
    if after in ("of", "again", "home", "from") and before not in ("my", "his", "her", "lower", "upper", "low"):
        return True
    return before in _MOVES or (before in ("the", "a") and after == "of")


def _gap(token: Token) -> float:
    """What a word between two words of a wording costs."""
    if token.kind == COMMA:
        return 1.4
    if token.kind == CLAUSE:
        return 2.0
    if token.text in _JOINS:
        return 3.0
    if token.text in ("but", "because", "however", "although", "except", "then"):
        return 2.0
    if token.text in NEGATIONS or token.text in ("cant", "cannot"):
        return _FAR
    if token.kind == WORD and token.stem in FILLERS:
        return 0.0
    if token.kind == NUMBER or token.stem in LIGHT:
        return 0.2
    return 1.0


def matches(lexicon: Lexicon, sentence: Sentence) -> list[Match]:
    """Every wording and composition found in the sentence, contradictory ones included."""
    found: dict[tuple[str, tuple[int, ...]], Match] = {}
    _wordings(lexicon, sentence, found)
    _literals(lexicon, sentence, found)
    _composed(lexicon, sentence, found)
    return [m for m in found.values() if not _misread(lexicon, sentence, m)]


def _misread(lexicon: Lexicon, sentence: Sentence, match: Match) -> bool:
    """Words of a group that this finding must not take ("a stinging hand" is not a burnt one)."""
    refused = lexicon.refused.get(match.finding)
    if match.finding == "unresponsive" and match.end + 1 < sentence.end and sentence.tokens[match.end].text == "to":
        # "has not responded to ibuprofen" is about a treatment
        return not _CALLERS & {t.text for t in sentence.tokens[match.end + 1 : match.end + 4]}
    if match.finding == "chest_pain" and match.end < sentence.end and sentence.tokens[match.end - 1].text == "heart":
        if sentence.tokens[match.end].text in ("beat", "beats", "rate", "attack", "disease", "condition"):
            return True  # "the pain is like a heart beat"
    return bool(refused) and any(sentence.tokens[i].text in refused for i in match.tokens)


def _add(found: dict[tuple[str, tuple[int, ...]], Match], match: Match) -> None:
    key = (match.finding, match.tokens)
    old = found.get(key)
    if old is None or match.cost < old.cost:
        found[key] = match


def _wordings(lexicon: Lexicon, sentence: Sentence, found: dict[tuple[str, tuple[int, ...]], Match]) -> None:
    at = sentence.at
    for meaning, places in at.items():
        for pattern in lexicon.patterns.get(meaning, ()):
            units = pattern.units
            if len(units) > 1 and not all(u in at for u in units):
                continue
            for place in places:
                match = _align(sentence, pattern, meaning, place)
                if match is not None:
                    _add(found, match)


def _align(sentence: Sentence, pattern: Pattern, anchor: str, place: tuple[int, int]) -> Match | None:
    units = pattern.units
    if len(units) == 1:
        tokens = tuple(range(*place))
        negations = tokens if units[0] == "NOT" else tuple(i for i in tokens if sentence.tokens[i].text in NEGATIONS)
        exact = sentence.tokens[place[0]].stem == units[0]
        if units[0] in _NOUNS and sentence.tokens[place[0]].text.endswith(("ing", "ed")):
            return None  # "boiling water" is no boil
        if units[0] in _VERBAL and not sentence.tokens[place[0]].text.endswith(("ing", "ed")):
            return None  # "long gaps" are not gaping, a "spot" is not spotting
        return Match(pattern.finding, tokens, 0.0 if exact else 0.1, negations=negations)
    k = units.index(anchor)
    chosen: list[tuple[int, int]] = [(0, 0)] * len(units)
    chosen[k] = place
    used = set(range(*place))
    for step in (*range(k - 1, -1, -1), *range(k + 1, len(units))):
        near = chosen[step + 1] if step < k else chosen[step - 1]
        best = _nearest(sentence.at[units[step]], near, step < k, used, pattern.ordered)
        if best is None:
            return None
        chosen[step] = best
        used.update(range(*best))
    low, high = min(used), max(used) + 1
    if high - low > 3 * len(units) + _REACH:
        return None
    begin = sentence.begin
    cost = sentence.weight[high - begin] - sentence.weight[low - begin]
    for i in used:
        cost -= _gap(sentence.tokens[i])
    cost = round(cost, 3) + 0.0
    if cost > 0.5 and ("NOT" in units or "cannot" in units) and len(units) < 4:
        return None  # "no shortness of breath" is not "no breath"
    inversions = sum(1 for a, b in pairwise(chosen) if a[0] > b[0])
    if inversions:
        if pattern.ordered or (len(units) > 3 and inversions > 1):
            return None
        cost += 0.3 * inversions
        if len(units) == 2 and cost > 1.0:
            return None
    judge_at = -1
    if cost >= _FAR and len(units) == 2:
        # "eyes not itchy": the finding is there, denied from inside
        last = max(chosen)
        before = [i for i in range(max(low, last[0] - 3), last[0]) if _gap(sentence.tokens[i]) >= _FAR]
        listed = any(t.kind == COMMA or t.text in _JOINS for t in sentence.tokens[low:high])
        if len(before) == 1 and not inversions and not listed:
            cost += 0.3 - _FAR
            judge_at = before[0]
    if cost > (1.3 if len(units) == 2 else 2.2):
        return None
    negations = tuple(i for unit, c in zip(units, chosen, strict=True) if unit == "NOT" for i in range(*c))
    if negations and high < sentence.end and sentence.tokens[high].text in _TOPICS:
        return None  # "no breathing problems" is not "no breathing"
    negations += tuple(i for i in used if sentence.tokens[i].text in NEGATIONS)
    return Match(pattern.finding, tuple(sorted(i for i in used if i > judge_at)), cost, negations=negations)


def _nearest(
    places: list[tuple[int, int]], near: tuple[int, int], before: bool, used: set[int], ordered: bool
) -> tuple[int, int] | None:
    """The place closest to `near`, on the right side of it when the order matters."""
    best, best_distance = None, 99
    j = bisect_left(places, near)
    for p in places[max(0, j - 3) : j + 4]:
        if p[0] in used or p[1] - 1 in used:
            continue
        if p[1] <= near[0]:
            distance = (near[0] - p[1]) + (0 if before else 2)
            if ordered and not before:
                continue
        else:
            distance = (p[0] - near[1]) + (2 if before else 0)
            if ordered and before:
                continue
        if distance < best_distance:
            best, best_distance = p, distance
    return best


def _literals(lexicon: Lexicon, sentence: Sentence, found: dict[tuple[str, tuple[int, ...]], Match]) -> None:
    stems = sentence.stems
    for i in range(sentence.begin, sentence.end):
        rows = lexicon.literal_patterns.get(stems[i])
        if not rows:
            continue
        for row, finding in rows:
            j, k = i, 0
            while k < len(row) and j < sentence.end:
                if stems[j] == row[k]:
                    k += 1
                elif k == 0 or stems[j] not in _INTENSE:
                    break
                j += 1
            if k == len(row):
                negations = tuple(n for n in range(i, j) if sentence.tokens[n].text in NEGATIONS)
                _add(found, Match(finding, tuple(range(i, j)), 0.0, negations=negations))


_INTENSE = words("very really so quite too extremely a bit just still also")


def _composed(lexicon: Lexicon, sentence: Sentence, found: dict[tuple[str, tuple[int, ...]], Match]) -> None:
    at, begin = sentence.at, sentence.begin
    for sensation, sites in lexicon.compose.items():
        felt = sorted([*at.get(sensation, ()), *at.get(f"~{sensation}", ())])
        if not felt:
            continue
        for site, finding in sites.items():
            for place in at.get(site, ()):
                options = []
                j = bisect_left(felt, place)
                for feeling in felt[max(0, j - 2) : j + 2]:
                    if feeling[0] < place[1] and place[0] < feeling[1]:
                        continue
                    low, high = min(feeling[0], place[0]), max(feeling[1], place[1])
                    inner = (
                        sentence.loose[max(feeling[0], place[0]) - begin]
                        - sentence.loose[min(feeling[1], place[1]) - begin]
                    )
                    later = max(feeling[0], place[0])
                    denied = [i for i in range(min(feeling[1], place[1]), later) if _gap(sentence.tokens[i]) >= _FAR]
                    if denied and (len(denied) > 1 or later - denied[0] > 3):
                        continue
                    if feeling[1] <= place[0] and _next_item(sentence, feeling[1], place[0]):
                        continue
                    options.append((inner, high - low, feeling, denied[0] if denied else -1))
                if not options:
                    continue
                cost, width, feeling, judge_at = min(options)
                if cost <= 2.3 and width <= 14:
                    # what is denied from inside ("my leg is not swollen") lies after the "not"
                    tokens = tuple(sorted(i for i in {*range(*feeling), *range(*place)} if i > judge_at))
                    negations = tuple(i for i in tokens if sentence.tokens[i].text in NEGATIONS)
                    _add(found, Match(finding, tokens, cost + 0.25, True, negations))


def _next_item(sentence: Sentence, begin: int, end: int) -> bool:
    """ "facial droop, arms fine": after the comma something else begins, unless the site was led in ("pain in my
    neck, back and legs")."""
    between = sentence.tokens[begin:end]
    comma = next((n for n, t in enumerate(between) if t.kind == COMMA), None)
    return comma is not None and not any(t.text in _LEADS for t in between[:comma])


def resolve(lexicon: Lexicon, sentence: Sentence, candidates: Sequence[Match]) -> list[Match]:
    """The claims that stand. Longer wins over shorter inside it; a loose claim needs a word of its own."""
    ranked = sorted(candidates, key=lambda m: (-_worth(m), m.start, m.finding))
    taken: dict[int, list[Match]] = {}
    kept: list[Match] = []
    for match in ranked:
        rivals = {id(r): r for i in match.tokens for r in taken.get(i, ())}.values()
        if _stands(lexicon, sentence, match, list(rivals)):
            kept.append(match)
            for i in match.tokens:
                taken.setdefault(i, []).append(match)
    return sorted(kept, key=lambda m: (m.start, m.end))


def carried_sites(lexicon: Lexicon, sentence: Sentence, kept: list[Match]) -> list[Match]:
    """ "my eyes are red, sore and watering": the site counts for every item of the list."""
    covered = {i for m in kept for i in m.tokens}
    if not covered or not any(
        t.kind == COMMA or t.text in _JOINS for t in sentence.tokens[sentence.begin : sentence.end]
    ):
        return []
    eased, total = [0.0], 0.0
    for i in range(sentence.begin, sentence.end):
        token = sentence.tokens[i]
        total += 0.3 if token.kind == COMMA or token.text in _JOINS else 0.0 if i in covered else _gap(token)
        eased.append(total)
    wholes = lexicon.data.get("whole") or {}
    strict, sentence.weight = sentence.weight, eased
    out: dict[tuple[str, tuple[int, ...]], Match] = {}
    for meaning, places in sentence.at.items():
        patterns = lexicon.by_unit.get(meaning)
        if not patterns or meaning in ("NOT", "cannot"):
            continue
        for place in places:
            if place[0] in covered or sentence.tokens[place[0]].stem in LIGHT:
                continue
            for pattern in patterns:
                other = pattern.units[1] if pattern.units[0] == meaning else pattern.units[0]
                if other == "NOT":
                    continue
                if (other not in lexicon.sites and other not in wholes) or meaning in _CIRCUMSTANCES:
                    continue
                if other in sentence.at and any(p[0] in covered for p in sentence.at[other]):
                    if meaning in lexicon.sites and other in lexicon.compose:
                        continue  # composition decides which sites a sensation reaches
                    match = _align(sentence, pattern, meaning, place)
                    if match is not None and _listed(sentence, match) and (match.cost <= 0.9 or other in lexicon.sites):
                        match.cost += 0.5
                        _add(out, match)
    sentence.weight = strict
    found = [m for m in out.values() if not _misread(lexicon, sentence, m)]
    return [*found, *_lonely(lexicon, sentence, covered)]


_CIRCUMSTANCES = frozenset(["bend", "exertion", "eat", "drink", "morning", "night", "better", "worse", "lose", "new"])


def _listed(sentence: Sentence, match: Match) -> bool:
    """Is there a comma or an "and" between the words of the match?"""
    inside = sentence.tokens[match.start : match.end]
    return any(t.kind == COMMA or t.text in _JOINS for t in inside)


def _lonely(lexicon: Lexicon, sentence: Sentence, covered: set[int], before: str | None = None) -> list[Match]:
    """ "my ear has been blocked since swimming, gunk coming out": a sensation without a site of its own takes the only
    one of the sentence, or that of the sentence `before`."""
    sites = {site for site in lexicon.sites & sentence.at.keys()}
    if len(sites) > 1:
        # "top of the foot" is foot; keep the sites that are words of their own
        return []
    if not sites and before is None:
        return []
    site = next(iter(sites)) if sites else before
    out: list[Match] = []
    for sensation, findings in lexicon.compose.items():
        finding = findings.get(site or "")
        if finding is None or sensation in _NEEDS_SITE:
            continue
        for place in sentence.at.get(sensation, ()):
            if place[0] not in covered:
                tokens = tuple(range(*place))
                out.append(Match(finding, tokens, 1.0, composed=True))
                break
    return out


_NEEDS_SITE = frozenset(["bleed", "weak", "lump", "stiff", "tight", "rash"])


def lonely(lexicon: Lexicon, sentence: Sentence, kept: list[Match], before: str | None) -> list[Match]:
    """Sensations of a sentence without any site, said of the site of the sentence before ("It is swollen.")."""
    if before is None or lexicon.sites & sentence.at.keys():
        return []
    return _lonely(lexicon, sentence, {i for m in kept for i in m.tokens}, before)


def only_site(lexicon: Lexicon, sentence: Sentence) -> str | None:
    """The body site of a sentence that names exactly one."""
    sites = lexicon.sites & sentence.at.keys()
    return next(iter(sites)) if len(sites) == 1 else None


def _worth(match: Match) -> float:
    return len(match.tokens) - 1.5 * match.cost - (0.3 if match.composed else 0)


def _by_site(lexicon: Lexicon, match: Match) -> bool:
    """A tight match of two words that says what a site feels, as a wording or composed."""
    if match.cost > 0.35 or len(match.tokens) < 2:
        return False
    return match.composed or match.finding in lexicon.site_findings


def _related(lexicon: Lexicon, one: str, two: str) -> bool:
    return lexicon.is_a(one, two) or lexicon.is_a(two, one) or bool(_parents(lexicon, one) & _parents(lexicon, two))


def _stands(lexicon: Lexicon, sentence: Sentence, match: Match, rivals: list[Match]) -> bool:
    if not rivals:
        return True
    mine = set(match.tokens)
    if len(mine) > 2 and all(mine == set(r.tokens) and r.cost == match.cost <= 0.1 for r in rivals):
        return all(r.finding != match.finding for r in rivals)  # one phrase of two findings: "D&V"
    covered: set[int] = set()
    for rival in rivals:
        theirs = set(rival.tokens)
        covered |= theirs & mine
        if rival.finding == match.finding:
            return False
        if mine == theirs and rival.cost == match.cost == 0:
            continue  # one wording of two findings: both were meant
        if mine <= theirs:
            if _by_site(lexicon, match) and not _related(lexicon, match.finding, rival.finding):
                continue  # "hot swollen knee" is a hot joint, and still a swollen knee
            return False
        if lexicon.is_a(rival.finding, match.finding) and mine & theirs:
            return False
    own = mine - covered
    if own and all(sentence.tokens[i].stem in _PARTICLES or sentence.tokens[i].stem in FILLERS for i in own):
        return False  # "blocked up nose" is not something up the nose
    if covered == mine and _by_site(lexicon, match):
        return True
    if covered == mine:
        # made only of words that others have claimed: exact wordings may share, loose ones may not
        return (match.cost == 0 and not all(mine == set(r.tokens) for r in rivals)) or (
            match.cost == 0 and any(mine == set(r.tokens) for r in rivals)
        )
    return True


def qualities(lexicon: Lexicon, sentence: Sentence, kept: list[Match], earlier: Match | None) -> list[Match]:
    """Findings made more specific by what is said around them: "it is crushing", "when I walk uphill"."""
    out: list[Match] = []
    for match in kept:
        out += _specialised(lexicon, sentence, match, kept)
    if earlier is not None and not out:
        own = any(lexicon.specialise.get(f) for m in kept for f in (m.finding, *_parents(lexicon, m.finding)))
        if not own:
            first = min(
                (m.start for m in kept if not _related(lexicon, m.finding, earlier.finding)), default=sentence.end
            )
            out += _carried(lexicon, sentence, earlier, first)
    return out


def _parents(lexicon: Lexicon, finding: str) -> frozenset[str]:
    known = lexicon.findings.get(finding)
    return known.parents if known else frozenset()


def _rows(lexicon: Lexicon, finding: str) -> list[tuple[tuple[str, ...], str]]:
    rows = list(lexicon.specialise.get(finding, ()))
    for parent in _parents(lexicon, finding):
        rows += lexicon.specialise.get(parent, ())
    return rows


def _specialised(lexicon: Lexicon, sentence: Sentence, match: Match, kept: list[Match]) -> list[Match]:
    out: list[Match] = []
    done: set[str] = set()
    for needed, child in _rows(lexicon, match.finding):
        if child == match.finding or child in done or lexicon.is_a(match.finding, child):
            continue
        places: list[int] = []
        for quality in needed:
            place = _quality(sentence, match, kept, quality, lexicon)
            if place is None:
                break
            places += range(*place)
        else:
            out.append(Match(child, tuple(sorted({*match.tokens, *places})), match.cost, True, match.negations, True))
            done |= {child, *_parents(lexicon, child)}
    return out


def denied_qualities(lexicon: Lexicon, sentence: Sentence, kept: list[Match]) -> list[Match]:
    """ "a cough without phlegm", "diarrhoea, no blood": the more specific finding is absent."""
    out: list[Match] = []
    for match in kept:
        for needed, child in _rows(lexicon, match.finding):
            if len(needed) != 1 or lexicon.is_a(match.finding, child):
                continue
            for place in sentence.at.get(needed[0], ()):
                between = [m for m in kept if match.end <= m.start and m.end <= place[1]]
                if not match.end < place[0] <= match.end + 16 or any(_rows(lexicon, m.finding) for m in between[:-1]):
                    continue
                before = sentence.tokens[max(match.end, place[0] - 4) : place[0]]
                if any(t.text in NEGATIONS for t in before) and not any(t.kind == CLAUSE for t in before):
                    out.append(Match(child, tuple(range(*place)), 0.5, True, (), True))
                    break
    return out


def _quality(
    sentence: Sentence, match: Match, kept: list[Match], quality: str, lexicon: Lexicon
) -> tuple[int, int] | None:
    begin = sentence.begin
    best, best_cost = None, 4.5
    for place in sentence.at.get(quality, ()):
        if place[0] in match.tokens and place[1] - 1 in match.tokens:
            cost = 0.0
        elif _of_another(match, kept, place, lexicon):
            continue
        else:
            low, high = (place[1], match.start) if place[1] <= match.start else (match.end, place[0])
            if high < low:
                cost = 0.0
            else:
                cost = sentence.loose[high - begin] - sentence.loose[low - begin]
            if any(_gap(sentence.tokens[i]) >= _FAR for i in range(low, high)):
                continue
            # a quality belongs to the nearest finding: another one in between takes it
            if any(m is not match and low <= m.start < high and m.finding != match.finding for m in kept):
                continue
        if cost < best_cost:
            best, best_cost = place, cost
    return best


def _of_another(match: Match, kept: list[Match], place: tuple[int, int], lexicon: Lexicon) -> bool:
    """ "tummy ache, severe ear pain": a quality that stands right before another finding is that one's."""
    if place[1] == match.start:
        return False
    return any(
        m is not match and m.start - place[1] in (0, 1) and place[0] not in m.tokens
        and not set(m.tokens) & set(match.tokens) and not _related(lexicon, m.finding, match.finding)
        for m in kept
    )  # fmt: skip


def _carried(lexicon: Lexicon, sentence: Sentence, earlier: Match, first: int) -> list[Match]:
    """ "My chest hurts. It is crushing." `first`: where the sentence begins to speak of something else."""
    out: list[Match] = []
    for needed, child in _rows(lexicon, earlier.finding):
        places: list[int] = []
        for quality in needed:
            spots = sentence.at.get(quality)
            if (
                not spots
                or spots[0][0] >= first
                or sentence.weight[spots[0][0] - sentence.begin] > 4
                or spots[0][0] - sentence.begin > 12
            ):
                break
            places += range(*spots[0])
        else:
            if child != earlier.finding:
                out.append(Match(child, tuple(sorted(set(places))), 0.5, True, (), True))
    return out[:2]
