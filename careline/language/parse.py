"""`parse`: what a patient or clinician wrote -> findings with choice, place, whose, since when, how severe.

Pure and total: any `str` gives a `Parse`, never an exception. Ambiguity is kept as choice "unknown".
Of a very long text only the first 6,000 characters are read for findings; red flags are looked for in all of it.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from careline.language import context as masks_of
from careline.language import matcher, values
from careline.language.assertion import Assertion, Scope
from careline.language.lexicon import FILLERS, Lexicon, lexicon
from careline.language.normalise import Normal, normalise
from careline.language.person import Person
from careline.language.subjects import Whose, describes_self, says_own_sex, speaks, whose
from careline.language.tokens import CLAUSE, COMMA, MESSAGE, NUMBER, SENTENCE, Token, tokenise
from careline.language.vitals import read as read_vitals

log = logging.getLogger(__name__)

Choice = Literal["present", "absent", "unknown"]
Severity = Literal["mild", "moderate", "severe"]
_MOST = 60_000  # characters in which the person is looked for
_READ = 6_000  # characters that are read for findings (about 1,000 words); the screen reads everything
_LONGEST = 90  # tokens of one sentence; longer ones are cut


@dataclass(frozen=True, slots=True)
class Mention:
    """One finding in the text.

    `span` is half open in the text given (0, 0 when inferred from the person alone). `onset_hours`: how long ago it
    began; `since_text`: the words that say so; `onset_text`: "sudden" or "gradual" as said. `value` and `unit` for
    measurements. `history`: said of the past, not of now. `subject`: "other" when it is not the writer's.
    """

    id: str
    name: str
    choice: Choice
    span: tuple[int, int]
    words: str
    subject: Literal["self", "other"] = "self"
    onset_hours: float | None = None
    onset_text: str | None = None
    severity: Severity | None = None
    value: float | None = None
    unit: str | None = None
    since_text: str | None = None
    history: bool = False


@dataclass(frozen=True, slots=True)
class Parse:
    """`mentions` in text order, one per finding and person. `flags` are the red flags of the screen."""

    mentions: tuple[Mention, ...] = ()
    person: Person = field(default_factory=Person)
    flags: tuple[Any, ...] = ()
    subject: Literal["self", "other"] = "self"


def parse(text: str, person: Person = Person(), context: Sequence[str] = ()) -> Parse:
    """Findings of `text`; `context` are earlier messages (for whom and since when), oldest first. Never raises."""
    flags: tuple[Any, ...] = ()
    learned = person
    subject: Literal["self", "other"] = (
        "other" if len(text) < _MOST and masks_of.subject(tokenise(text)) == "other" else "self"
    )
    try:
        from careline.language.screen import screen

        seen = screen(text, context, person)
        flags, learned = seen.flags, seen.person
        subject = "other" if "other" in (seen.subject, subject) else "self"
    except Exception:  # the screen's trouble must not take the findings with it
        log.exception("screen failed inside parse")
    try:
        return _parse(text, learned, flags, subject, lexicon(), person)
    except Exception:  # a patient must always get an answer; the text itself is never logged
        log.exception("parse failed")
        return Parse((), learned, flags, subject)


def _parse(
    text: str,
    person: Person,
    flags: tuple[Any, ...],
    subject: Literal["self", "other"],
    known: Lexicon,
    given: Person,
) -> Parse:
    text = _beginning(text)
    normal = normalise(text)
    tokens = tokenise(text, known.speller, normal)
    reader = _Reader(text, normal, tokens, person, subject, known, given)
    mentions = reader.read()
    return Parse(tuple(mentions), reader.person, flags, reader.subject)


@dataclass(slots=True)
class _Draft:
    """A mention in the making: token places, and what is known so far."""

    finding: str
    tokens: tuple[int, ...]
    sentence: int
    choice: Choice
    history: bool
    person: Whose
    onset_hours: float | None = None
    since: str | None = None
    severity: Severity | None = None
    value: float | None = None
    unit: str | None = None
    onset_text: str | None = None
    span: tuple[int, int] | None = None
    ago: bool = False


class _Reader:
    def __init__(
        self,
        text: str,
        normal: Normal,
        tokens: list[Token],
        person: Person,
        subject: Literal["self", "other"],
        known: Lexicon,
        given: Person,
    ) -> None:
        self.text, self.normal, self.tokens, self.person, self.known = text, normal, tokens, person, known
        self._given = given
        self._site: str | None = None  # the body site of the sentence before
        self.subject: Literal["self", "other"] = "self" if subject == "other" and describes_self(tokens) else subject
        self.rows: defaultdict[int, list[_Draft]] = defaultdict(list)  # by sentence
        self._starts = [t.start for t in tokens]
        self.masks = masks_of.annotate(tokens)
        if person.age_years is None or person.sex is None:  # the screen may not have been able to
            self.person = read_vitals(tokens, self.masks, person)[1]
        self.about = whose(tokens, self.subject)

    def read(self) -> list[Mention]:
        earlier: matcher.Match | None = None
        bounds = list(_sentences(self.tokens))
        for number, (begin, end) in enumerate(bounds):
            earlier = self._sentence(number, begin, end, earlier)
        self._settle_subject()
        self._numbers(bounds)
        self._doses(bounds)
        self._begun()
        self._alone(bounds)
        self._overdose(bounds)
        self._times(bounds)
        self._severity(bounds)
        self._derived()
        self._pregnancy()
        return self._finish()

    def _settle_subject(self) -> None:
        """A relative is named, but it is "I" who has the complaint: then the writer is who the message is about."""
        if self.subject != "other":
            self._own_sex()
            return
        own = other = 0
        for draft in self._drafts():
            finding = self.known.findings.get(draft.finding)
            if finding is None or finding.kind in ("risk", "history"):
                continue
            vote = speaks(self.tokens, draft.tokens[0])
            own += vote == "self"
            other += vote == "other"
        if own > other:
            self.subject = "self"
            self.about = whose(self.tokens, "self")
            for draft in self._drafts():
                draft.person = self.about.at(draft.tokens[0])
            self._own_sex()

    def _own_sex(self) -> None:
        """ "My wife has covid, now I cough" says nothing about the writer's own sex."""
        learned = self._given.sex is None and not self._given.pregnant and self.person.sex is not None
        if learned and not says_own_sex(self.tokens):
            self.person = replace(self.person, sex=None)

    # findings of one sentence

    def _sentence(self, number: int, begin: int, end: int, earlier: matcher.Match | None) -> matcher.Match | None:
        sentence = matcher.read(self.known, self.tokens, begin, end)
        denied = self._opposites(number, sentence)
        candidates = [m for m in matcher.matches(self.known, sentence) if not denied.issuperset(m.tokens)]
        kept = matcher.resolve(self.known, sentence, candidates)
        more = matcher.carried_sites(self.known, sentence, kept)
        more += matcher.lonely(self.known, sentence, kept, self._site)
        if more:
            kept = matcher.resolve(self.known, sentence, [*kept, *more])
        self._site = matcher.only_site(self.known, sentence) or (self._site if end - begin <= 8 else None)
        special = matcher.qualities(self.known, sentence, kept, earlier)
        special += matcher.denied_qualities(self.known, sentence, kept)
        kept = self._without_triggers(kept, special)
        scope = Scope(self.tokens, begin, end)
        general = self._general_question(begin, end)
        consumed = {n for m in kept for n in m.negations}
        spans = [(m.start, m.end) for m in kept]
        for match in (*kept, *special):
            assertion = self._assert(scope, match, consumed, spans)
            asked = general or any(self.masks[i] & masks_of.HYPOTHETICAL for i in match.tokens)
            if asked and assertion.choice != "unknown" and not self._stated(match):
                continue
            owner = self.about.at(match.start)
            self._put(_Draft(match.finding, match.tokens, number, assertion.choice, assertion.history, owner))
        self._normal(number, sentence)
        self._painless(number, sentence)
        self._umbrellas(number, sentence, scope, spans)
        self._relatives(number, sentence)
        positive = [
            m
            for m in kept
            if any(d.finding == m.finding and d.tokens == m.tokens and d.choice == "present" for d in self.rows[number])
        ]
        specialisable = [m for m in positive if matcher._rows(self.known, m.finding)]
        return specialisable[-1] if specialisable else earlier

    def _without_triggers(self, kept: list[matcher.Match], special: list[matcher.Match]) -> list[matcher.Match]:
        """ "I leak when I cough" is no cough; "an itchy rash" is one finding, not also an itch."""
        whole = set((self.known.data.get("whole") or {}).values())
        out = []
        for match in kept:
            if match.finding in whole and len(kept) > 1:
                before = [t.text for t in self.tokens[max(0, match.start - 3) : match.start]]
                if (
                    before[-2:]
                    and before[-1] in ("i", "he", "she", "you", "or")
                    and {"when", "if", "whenever"} & set(before)
                ):
                    continue
            if match.finding in ("cough", "sneezing") and len(kept) > 1 and self._provokes(match.start):
                continue
            if match.finding in whole and any(set(match.tokens) < set(m.tokens) for m in special):
                child = next(m for m in special if set(match.tokens) < set(m.tokens))
                if not self.known.is_a(child.finding, match.finding) and len(match.tokens) == 1:
                    continue
            out.append(match)
        return out

    def _provokes(self, at: int) -> bool:
        """ "Back pain exacerbated by lifting, coughing and sneezing", "leaks with coughing": what sets something off."""
        for k in range(at - 1, max(-1, at - 10), -1):
            token = self.tokens[k]
            if token.kind in (CLAUSE, SENTENCE, MESSAGE):
                return False
            if token.text in ("exacerbated", "aggravated", "triggered", "provoked"):
                return True
            if token.text in ("when", "whenever", "with", "on", "or", "and") and at - k <= 3:
                around = {t.text for t in self.tokens[max(0, k - 6) : at]}
                if around & _SET_OFF:
                    return True
        return False

    def _general_question(self, begin: int, end: int) -> bool:
        """ "Does ibuprofen cause stomach pain?" is about nobody."""
        if end >= len(self.tokens) or "?" not in self.tokens[end].raw:
            return False
        texts = [t.text for t in self.tokens[begin:end]]
        causes = {"cause", "causes", "causing", "lead", "trigger", "contagious", "hereditary"}
        return bool(texts) and texts[0] in _ASKS and bool(causes & set(texts)) and "my" not in texts

    def _stated(self, match: matcher.Match) -> bool:
        """A medicine or illness named in a question is still the person's: "can I take ibuprofen with my warfarin"."""
        finding = self.known.findings.get(match.finding)
        own = {self.tokens[i].text for i in range(max(0, match.start - 3), match.start)}
        return bool(finding and finding.kind in ("risk", "history") and own & {"my", "im", "ive", "on", "his", "her"})

    def _assert(
        self, scope: Scope, match: matcher.Match, consumed: set[int], spans: list[tuple[int, int]]
    ) -> Assertion:
        finding = self.known.findings.get(match.finding)
        lasting = bool(finding and finding.kind in ("risk", "history", "exposure"))
        judged = scope.judge(match.start, match.end, consumed, spans, lasting)
        if judged.choice != "absent" and self._answered_no(scope):
            return Assertion("absent", judged.history)
        return judged

    def _answered_no(self, scope: Scope) -> bool:
        """ "Blood thinners? No." """
        end = scope.end
        if end + 1 >= len(self.tokens) or self.tokens[end].raw != "?" or end - scope.begin > 7:
            return False
        return self.tokens[end + 1].text in ("no", "none", "nope", "never", "nil", "not")

    def _opposites(self, number: int, sentence: matcher.Sentence) -> set[int]:
        """Words that deny by themselves ("afebrile", "non-smoker"); returns the tokens they use."""
        used: set[int] = set()
        for meaning in self.known.opposite_names:
            for first, after in sentence.at.get(meaning, ()):
                place = tuple(range(first, after))
                before = [t.text for t in self._clause_before(sentence.begin, first)[-4:]]
                if any(w in _NO or w.endswith(("nt", "not")) for w in before):
                    continue  # "not gaining weight nicely", "hasn't stopped bleeding"
                used.update(place)
                self._put(_Draft(meaning[1:], place, number, "absent", False, self.about.at(first)))
        return used

    def _normal(self, number: int, sentence: matcher.Sentence) -> None:
        """ "breathing is fine", "eating and drinking normally", "normal appetite"."""
        good = [
            i for i in range(sentence.begin, sentence.end)
            if self.tokens[i].text in self.known.normal_words
            and not _NOT_NORMAL
            & {t.text for t in self.tokens[max(sentence.begin, i - 3) : i]}
            and not _UNABLE & {t.text for t in self._clause_before(sentence.begin, i)}
        ]  # fmt: skip
        if not good:
            return
        for meaning, findings in (self.known.data.get("normal") or {}).items():
            for first, after in sentence.at.get(meaning, ()):
                cost = sentence.loose[after - sentence.begin]
                near = [
                    i for i in good
                    if (0 <= i - after <= 5 and sentence.loose[i - sentence.begin] - cost <= 2.5)
                    or (i == first - 1 and self.tokens[i].text in ("normal", "good", "regular", "steady", "intact"))
                ]  # fmt: skip
                if near and not any(t.kind == CLAUSE for t in self.tokens[min(after, near[0]) : near[0]]):
                    place = tuple(sorted((first, near[0])))
                    for finding in findings:
                        self._put(_Draft(finding, place, number, "absent", False, self.about.at(first)))

    def _clause_before(self, begin: int, i: int) -> list[Token]:
        """The words before token i, back to a comma: "can't tolerate to eat or drink normally"."""
        k = i
        while k > max(begin, i - 9) and self.tokens[k - 1].kind not in (COMMA, CLAUSE):
            k -= 1
        return self.tokens[k:i]

    def _umbrellas(self, number: int, sentence: matcher.Sentence, scope: Scope, spans: list[tuple[int, int]]) -> None:
        for n, row in enumerate(self.known.data.get("umbrella") or ()):
            for first, after in sentence.at.get(f"%{n}", ()):
                before = {t.text for t in self.tokens[max(sentence.begin, first - 3) : first]}
                if "no" in before or scope.judge(first, after, (), spans).choice == "absent":
                    place = tuple(range(first, after))
                    for finding in row["denies"]:
                        self._put(_Draft(finding, place, number, "absent", False, self.about.at(first)))

    def _painless(self, number: int, sentence: matcher.Sentence) -> None:
        sites = self.known.compose.get("pain") or {}
        for first, _ in sentence.at.get("painless", ()):
            near = [
                (abs(place[0] - first), place, finding)
                for site, finding in sites.items() for place in sentence.at.get(site, ()) if abs(place[0] - first) <= 8
            ]  # fmt: skip
            if near:
                _, place, finding = min(near)
                at = tuple(sorted((first, place[0])))
                self._put(_Draft(finding, at, number, "absent", False, self.about.at(first)))

    def _relatives(self, number: int, sentence: matcher.Sentence) -> None:
        for row in self.known.data.get("relatives") or ():
            for first, after in sentence.at.get(f"^{row['means']}", ()):
                owner = self.about.at(first)
                if not owner.focus and (owner.blood or not row.get("blood")) and not self._told_no(first):
                    place = tuple(range(first, after))
                    self._put(_Draft(row["means"], place, number, "present", False, self.about.focus))

    def _told_no(self, token: int) -> bool:
        before = [t.text for t in self.tokens[max(0, token - 4) : token]]
        return bool({"no", "not", "never", "without", "nor"} & set(before))

    def _put(self, draft: _Draft) -> None:
        self.rows[draft.sentence].append(draft)

    def _drafts(self) -> list[_Draft]:
        return [draft for row in self.rows.values() for draft in row]

    # numbers, times, severity

    def _place(self, span: tuple[int, int]) -> tuple[int, ...]:
        """Tokens inside a span of the folded text."""
        first, last = self.normal.span(*span)
        i = max(0, bisect_right(self._starts, first) - 1)
        out = []
        while i < len(self.tokens) and self.tokens[i].start < last:
            if first < self.tokens[i].end:
                out.append(i)
            i += 1
        return tuple(out)

    def _sentence_of(self, bounds: list[tuple[int, int]], token: int) -> int:
        n = bisect_right(bounds, (token, len(self.tokens) + 1)) - 1
        return n if n >= 0 and bounds[n][0] <= token < bounds[n][1] else -1

    def _numbers(self, bounds: list[tuple[int, int]]) -> None:
        limits = self.known.data.get("thresholds") or {}
        age = self.person.age_years
        for reading in values.readings(self.normal.text):
            place = self._place(reading.span)
            if not place or any(self.masks[i] & masks_of.HYPOTHETICAL for i in place):
                continue
            number = self._sentence_of(bounds, place[0])
            done: set[str] = set()
            for row in limits.get(reading.kind, ()):
                if row["id"] not in self.known.findings or not _holds(row, reading.value, age):
                    continue
                if any(self.known.is_a(d, row["id"]) for d in done) or (
                    row.get("absent") and done and reading.kind != "temperature"
                ):
                    continue
                done.add(row["id"])
                choice: Choice = "absent" if row.get("absent") else "present"
                draft = _Draft(row["id"], place, number, choice, False, self.about.at(place[0]))
                draft.value, draft.unit = reading.value, reading.unit
                # the number decides over the word next to it: "temperature is 36.8"
                self.rows[number] = [
                    d for d in self.rows[number]
                    if not (self.known.is_a(row["id"], d.finding) and d.sentence == number and d.value is None
                            and min(abs(place[0] - d.tokens[-1]), abs(d.tokens[0] - place[-1])) <= 6)
                ]  # fmt: skip
                self._put(draft)
            if reading.kind == "temperature" and not done:
                self.rows[number] = [
                    d for d in self.rows[number]
                    if not (d.finding == "fever" and d.sentence == number and d.value is None
                            and self._only_word(d, "temp"))
                ]  # fmt: skip
            if reading.kind == "pain_score":
                for draft in self._near(place[0], number):
                    if draft.severity is None:
                        draft.severity = values.severity_of_score(reading.value)
                    break

    def _doses(self, bounds: list[tuple[int, int]]) -> None:
        """ "warfarin 5 mg": the amount goes with the medicine next to it."""
        for dose in values.doses(self.normal.text):
            place = self._place(dose.span)
            if not place:
                continue
            here = self.rows[self._sentence_of(bounds, place[0])]
            near = [
                (min(abs(place[0] - d.tokens[-1]), abs(d.tokens[0] - place[-1])), n)
                for n, d in enumerate(here)
                if d.value is None and d.tokens and d.finding.startswith(("taking_", "on_"))
            ]
            if near and min(near)[0] <= 4:
                draft = here[min(near)[1]]
                draft.value, draft.unit = dose.value, dose.unit

    def _alone(self, bounds: list[tuple[int, int]]) -> None:
        """ "Lump in my breast, no discharge", "dysuria, frequency": a bare word belongs to what the text is about."""
        table = self.known.alone
        about = {d.finding for d in self._drafts() if d.choice == "present" and not d.history}
        if self.person.pregnant:
            about.add("pregnant")
        taken = {i for d in self._drafts() for i in d.tokens}
        for i, token in enumerate(self.tokens):
            row = table.get(token.stem)
            if row is None or i in taken:
                continue
            before = [t.text for t in self.tokens[max(0, i - 3) : i]]
            denied = bool(before) and (
                before[-1] in _NO or (len(before) > 1 and before[-2] in _NO and before[-1] in ("any", "more", "visible"))
                or (before[-1] in ("or", "nor") and self._told_no(i))
            )  # fmt: skip
            if not denied and token.stem not in self.known.alone_present:
                continue
            for theme, finding in row.items():
                if any(self.known.is_a(a, theme) for a in about):
                    choice: Choice = "absent" if denied else "present"
                    at = self._sentence_of(bounds, i)
                    self._put(_Draft(finding, (i,), at, choice, False, self.about.at(i)))
                    break

    def _begun(self) -> None:
        """ "Started ramipril 3 weeks ago", "they put me on sertraline": a medicine that is new to the person."""
        if "new_medicine" not in self.known.findings:
            return
        recent = [p for d in values.durations(self.normal.text) if d.hours <= 2200 for p in self._place(d.span)[:1]]
        for draft in self._drafts():
            if draft.choice != "present" or not draft.tokens or not draft.finding.startswith("taking_"):
                continue
            first, last = draft.tokens[0], draft.tokens[-1]
            before = [t.text for t in self.tokens[max(0, first - 5) : first]]
            near = any(-8 <= i - last <= 12 for i in recent)
            begun = bool(_BEGUN & set(before)) or ("put" in before and "on" in before) or ("gave" in before and near)
            given = bool({"prescribed", "given", "new"} & set(before[-3:])) and not self._told_no(first)
            if (
                (
                    begun
                    and (
                        near
                        or "just" in before
                        or "new" in before
                        or "since" in before
                        or "after" in before
                        or "put" in before
                    )
                )
                or given
            ) and not _STOPPED & set(before):
                self._put(_Draft("new_medicine", draft.tokens, draft.sentence, "present", False, draft.person))

    def _overdose(self, bounds: list[tuple[int, int]]) -> None:
        """ "Took 30 paracetamol": many tablets at once."""
        rule = self.known.data.get("overdose") or {}
        if rule.get("means") not in self.known.findings:
            return
        for i, token in enumerate(self.tokens[:-1]):
            if token.value is None or token.value < rule["min"] or i < 1:
                continue
            verb = {t.text for t in self.tokens[max(0, i - 4) : i]} & set(rule["verbs"])
            what = {t.text for t in self.tokens[i + 1 : i + 4]} & set(rule["of"])
            if verb and what and not self.masks[i] & masks_of.HYPOTHETICAL and not self._told_no(i):
                place = (i, i + 1)
                self._put(
                    _Draft(rule["means"], place, self._sentence_of(bounds, i), "present", False, self.about.at(i))
                )

    def _only_word(self, draft: _Draft, prefix: str) -> bool:
        return all(self.tokens[i].text.startswith(prefix) for i in draft.tokens)

    def _near(self, token: int, number: int) -> list[_Draft]:
        """Present current findings of the sentence (or the one before), nearest first."""
        here = [d for d in self.rows[number] if d.choice == "present" and not d.history]
        if not here:
            here = [d for d in self.rows[number - 1] if d.choice == "present" and not d.history]
        return sorted(here, key=lambda d: min(abs(token - d.tokens[0]), abs(token - d.tokens[-1])))

    def _times(self, bounds: list[tuple[int, int]]) -> None:
        for duration in values.durations(self.normal.text):
            place = self._place(duration.span)
            if not place:
                continue
            number = self._sentence_of(bounds, place[0])
            found = self._near(place[0], number)
            timed = [d for d in found if self._may_last(d)]
            if not timed:
                continue
            nearest = timed[0]
            if self._age_said(duration) or self._clause_of_its_own(place, nearest):
                continue
            for draft in timed:
                apart = min(abs(place[0] - draft.tokens[-1]), abs(draft.tokens[0] - place[-1]))
                listed = apart <= 14 and self._kind(nearest) != "exposure" and self._one_list(draft, nearest)
                if (draft is nearest or listed) and draft.onset_hours is None:
                    draft.onset_hours, draft.since = duration.hours, duration.text
            if duration.hours >= 4380 and duration.ago:
                for draft in [d for d in timed[:1] if d.sentence == number]:
                    finding = self.known.findings.get(draft.finding)
                    if finding and finding.kind not in ("risk", "history") and self._was(place[0]):
                        draft.history = True

    def _age_said(self, duration: values.Duration) -> bool:
        """ "lo is 8 months" is how old, not how long."""
        age = self.person.age_years
        return age is not None and not duration.ago and abs(duration.hours - age * 8766) <= 0.12 * duration.hours

    def _clause_of_its_own(self, place: tuple[int, ...], nearest: _Draft) -> bool:
        """ "came back from Ghana last week, fever": the time belongs to what else happened."""
        low, high = sorted((place[0], nearest.tokens[0]))
        commas = [i for i in range(low, high) if self.tokens[i].kind == COMMA]
        if not commas or place[0] > nearest.tokens[0]:
            return False
        words = [t for t in self.tokens[max(0, place[0] - 8) : place[0]] if t.kind != NUMBER]
        cut = next((n for n, t in enumerate(reversed(words)) if t.kind not in ("word",)), len(words))
        return sum(t.stem not in FILLERS for t in words[len(words) - cut :]) >= 2

    def _kind(self, draft: _Draft) -> str:
        finding = self.known.findings.get(draft.finding)
        return finding.kind if finding else ""

    def _was(self, token: int) -> bool:
        before = [t.text for t in self.tokens[max(0, token - 8) : token]]
        return ("had" in before or "was" in before) and not {"started", "began", "since", "noticed"} & set(before)

    def _may_last(self, draft: _Draft) -> bool:
        finding = self.known.findings.get(draft.finding)
        return bool(finding and finding.kind not in ("risk", "history"))

    def _one_list(self, draft: _Draft, nearest: _Draft) -> bool:
        """Both in one list ("cough, fever and sore throat for 3 days"): only joins and small words in between."""
        low, high = sorted((draft, nearest), key=lambda d: d.tokens[0])
        between = self.tokens[low.tokens[-1] + 1 : high.tokens[0]]
        return len(between) <= 6 and not any(t.kind in (CLAUSE, NUMBER) for t in between)

    def _severity(self, bounds: list[tuple[int, int]]) -> None:
        levels = self.known.severity
        for n, (begin, end) in enumerate(bounds):
            texts = [t.text for t in self.tokens[begin:end]]
            for k, word in enumerate(texts):
                level = levels.get(word) or (levels.get(f"{word} {texts[k + 1]}") if k + 1 < len(texts) else None)
                if level is None or (k and texts[k - 1] in ("not", "isnt", "no")):
                    continue
                for draft in self._near(begin + k, n)[:1]:
                    finding = self.known.findings.get(draft.finding)
                    close = min(abs(begin + k - draft.tokens[0]), abs(begin + k - draft.tokens[-1])) <= 5
                    if finding and finding.kind in ("symptom", "sign") and close and draft.severity in (None, "mild"):
                        draft.severity = level  # type: ignore[assignment]
        for draft in self._drafts():
            near = {
                self.tokens[i].stem
                for i in range(max(0, draft.tokens[0] - 4), min(len(self.tokens), draft.tokens[-1] + 4))
            }
            if near & {"sudden", "abrupt", "instant"}:
                draft.onset_text = "sudden"
            elif near & {"gradual", "slow", "progressive"}:
                draft.onset_text = "gradual"

    # what follows from what

    def _derived(self) -> None:
        rows = self.known.data.get("prolonged") or {}
        for draft in self._drafts():
            if draft.choice != "present" or draft.onset_hours is None or draft.history:
                continue
            for finding, (hours, child) in rows.items():
                if (
                    self.known.is_a(draft.finding, finding)
                    and draft.onset_hours > hours
                    and child in self.known.findings
                ):
                    more = replace_draft(draft, child)
                    self._put(more)

    def _pregnancy(self) -> None:
        person = self.person
        ids = {d.finding: d for d in self._drafts() if d.choice == "present"}
        if person.pregnant is None and "pregnant" in ids and ids["pregnant"].person.focus:
            self.person = person = replace(person, pregnant=True)
        if person.pregnant or person.gestation_weeks is not None:
            for row in self.known.data.get("in_pregnancy") or ():
                draft = ids.get(row["of"])
                if draft is None or not draft.tokens or not draft.person.focus or draft.history:
                    continue
                near = {t.text for t in self.tokens[max(0, draft.tokens[0] - 3) : draft.tokens[-1] + 4]}
                if not row.get("words") or near & set(row["words"]):
                    self._put(replace_draft(draft, row["means"]))
        weeks = person.gestation_weeks
        if weeks is not None and "pregnant" in self.known.findings:
            part = "first" if weeks < 13 else "second" if weeks < 28 else "third"
            finding = f"pregnancy_{part}_trimester"
            place = ids["pregnant"].tokens if "pregnant" in ids else self._week_tokens()
            if finding in self.known.findings:
                draft = _Draft(finding, place, -1, "present", False, self.about.focus)
                draft.value, draft.unit = weeks, "weeks"
                self._put(draft)
        if person.postpartum_days is not None:
            for finding in ("postpartum", "recent_childbirth"):
                if finding in self.known.findings and finding not in ids and person.postpartum_days <= 84:
                    draft = _Draft(finding, (), -1, "present", False, self.about.focus)
                    draft.value, draft.unit = float(person.postpartum_days), "days"
                    self._put(draft)

    def _week_tokens(self) -> tuple[int, ...]:
        for i, token in enumerate(self.tokens):
            if token.kind == NUMBER and i + 1 < len(self.tokens) and self.tokens[i + 1].text.startswith("week"):
                return (i, i + 1)
        return ()

    # the answer

    def _finish(self) -> list[Mention]:
        best: dict[tuple[str, str], _Draft] = {}
        for draft in self._drafts():
            finding = self.known.findings.get(draft.finding)
            if finding is None or not self._fits(finding) or self._asked_for(draft):
                continue
            if not draft.person.focus:
                moved = self._of_relative(draft)
                if moved is None:
                    continue
                draft = moved
            if draft.history and finding.kind in ("risk", "history"):
                draft.history = False  # an illness or medicine that is known is a fact, whenever it began
            if draft.history:
                draft = self._to_history(draft)
            key = (draft.finding, draft.person.subject)
            old = best.get(key)
            if old is None or _rank(draft) > _rank(old):
                if old is not None and draft.onset_hours is None:
                    draft.onset_hours, draft.since = old.onset_hours, old.since
                best[key] = draft
        drafts = self._without_parents(list(best.values()))
        drafts.sort(key=lambda d: (d.tokens[0] if d.tokens else -1, d.finding))
        return [self._mention(d) for d in drafts]

    def _asked_for(self, draft: _Draft) -> bool:
        """ "Do I need antibiotics?" is not taking them."""
        if not draft.finding.startswith("taking_") or not draft.tokens:
            return False
        before = [t.text for t in self.tokens[max(0, draft.tokens[0] - 3) : draft.tokens[0]]]
        return bool({"need", "needs", "want", "wants", "wanting", "require", "without"} & set(before))

    def _fits(self, finding: Any) -> bool:
        sex, age = self.person.sex, self.person.age_years
        if finding.sex and sex and finding.sex != sex:
            return False
        if age is None:
            return True
        return not (finding.min_age is not None and age < finding.min_age - 1) and not (
            finding.max_age is not None and age > finding.max_age + 1
        )

    def _of_relative(self, draft: _Draft) -> _Draft | None:
        """What a relative has says something about the person only as family history or contact."""
        target = None
        if draft.choice == "present":
            finding = draft.finding
            for row in self.known.data.get("relatives") or ():
                if finding in row["has"] and (draft.person.blood or not row.get("blood")):
                    target = row["means"]
                    break
        if target is None or target not in self.known.findings:
            return None
        made = replace_draft(draft, target)
        made.person, made.history, made.severity = self.about.focus, False, None
        return made

    def _to_history(self, draft: _Draft) -> _Draft:
        target = (self.known.data.get("history_of") or {}).get(draft.finding)
        if target in self.known.findings:
            made = replace_draft(draft, target)
            made.history = True
            return made
        return draft

    def _without_parents(self, drafts: list[_Draft]) -> list[_Draft]:
        """A parent said in the same words as its child adds nothing; nor does "severe" that is said of one of two
        pains (the mention of that pain has it as its severity)."""
        out = []
        pains = [
            d for d in drafts if d.choice == "present" and d.finding in self.known.compose.get("pain", {}).values()
        ]
        severe = next((d for d in drafts if d.finding == "pain_severe"), None)
        if severe is not None and len(pains) > 1:
            whose_ = [d for d in pains if set(d.tokens) & set(severe.tokens)]
            if whose_ and any(d not in whose_ and d.severity != "severe" for d in pains):
                drafts = [d for d in drafts if d is not severe]
        instead = self.known.data.get("instead") or {}
        for draft in drafts:
            mine = set(draft.tokens)
            if mine and any(
                draft.finding in instead.get(o.finding, ()) and mine <= set(o.tokens) and o.choice == draft.choice
                for o in drafts
            ):
                continue
            if any(
                other is not draft and other.choice == draft.choice == "present" and other.finding != draft.finding
                and self.known.is_a(other.finding, draft.finding) and (mine & set(other.tokens) or not mine)
                and other.history == draft.history
                for other in drafts
            ):  # fmt: skip
                continue
            out.append(draft)
        return out

    def _mention(self, draft: _Draft) -> Mention:
        span, words = (0, 0), ""
        if draft.tokens:
            first, last = self.tokens[draft.tokens[0]], self.tokens[draft.tokens[-1]]
            span = (first.start, last.end)
            words = self.text[first.start : last.end]
        return Mention(
            draft.finding, self.known.findings[draft.finding].name, draft.choice, span, words, draft.person.subject,
            draft.onset_hours, draft.onset_text, draft.severity, draft.value, draft.unit, draft.since, draft.history,
        )  # fmt: skip


def _beginning(text: str) -> str:
    """The first `_READ` characters, up to the end of a word."""
    if len(text) <= _READ:
        return text
    space = max(text.rfind(mark, _READ - 200, _READ) for mark in " \n")
    return text[: space if space > 0 else _READ]


def replace_draft(draft: _Draft, finding: str) -> _Draft:
    """The same mention as another finding."""
    return replace(draft, finding=finding)


_NOT_NORMAL = frozenset(
    ["not", "isnt", "dont", "doesnt", "arent", "cant", "no", "was", "until", "than", "as", "from", "usually"]
)
_SET_OFF = frozenset(
    [
        "leak",
        "leaks",
        "leaking",
        "leakage",
        "worse",
        "worsens",
        "exacerbated",
        "aggravated",
        "occurs",
        "laughing",
        "laugh",
        "wee",
        "pee",
    ]
)
_NO = frozenset(["no", "without", "not", "nil", "denies", "zero", "never"])
_BEGUN = frozenset(["started", "start", "starting", "began", "begun", "commenced", "initiated"])
_STOPPED = frozenset(["stopped", "stopping", "off", "never", "not", "havent", "before", "finished"])
_UNABLE = frozenset(["cant", "cannot", "unable", "couldnt", "wont", "struggling", "difficulty", "trouble"])
_ASKS = frozenset(["does", "do", "can", "could", "will", "would", "is", "are", "what", "why", "how", "should"])


def _rank(draft: _Draft) -> tuple[int, int, int]:
    order = {"present": 3, "absent": 2, "unknown": 1}
    return (0 if draft.history else 1, order[draft.choice], 1 if draft.value is not None else 0)


def _holds(row: dict[str, Any], value: float, age: float | None) -> bool:
    if "min" in row and value < row["min"]:
        return False
    if "max" in row and value > row["max"]:
        return False
    if age is None:
        return row.get("age_max") is None
    return row.get("age_min", 0) <= age < row.get("age_max", 200)


def _sentences(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """Token ranges between sentence ends; a very long one is cut, so that work stays linear."""
    out: list[tuple[int, int]] = []
    begin = 0
    for i, token in enumerate(tokens):
        ends = token.kind in (SENTENCE, MESSAGE)
        if ends and token.raw == "?" and i + 1 < len(tokens) and tokens[i + 1].start == token.end:
            ends = False  # "?fever" is doubt, not the end of a sentence
        if ends:
            if i > begin:
                out.append((begin, i))
            begin = i + 1
        elif i - begin >= _LONGEST:
            pause = next((k for k in range(i, i - 40, -1) if tokens[k].kind in (COMMA, CLAUSE)), i)
            out.append((begin, pause + 1))
            begin = pause + 1
    if begin < len(tokens):
        out.append((begin, len(tokens)))
    return out
