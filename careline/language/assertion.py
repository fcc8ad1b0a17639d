"""Present, absent or uncertain; now or long ago; whose: judged for one place in a sentence.

Finer than the screen's masks: a denial runs on through a list ("no fever, cough or chest pain"), ends where the list
ends ("no fever, just a cough"), and a list that may or may not go on ("no fever, cough") is kept as uncertain.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple

from careline.language.context import PSEUDO, VERB_NEGATORS
from careline.language.tokens import CLAUSE, COMMA, NUMBER, WORD, Token
from careline.language.wordlist import words

Choice = Literal["present", "absent", "unknown"]


class Assertion(NamedTuple):
    choice: Choice
    history: bool = False


_FORWARD = words(
    "no not non aint without denies deny denied denying nor neither nil never none w/o negative absent absence"
)
_STOP = words(
    "but however although though except because until so then instead only just yet despite whereas apart "
    "besides otherwise now"
)
_SUBJECT = words("i im ive he hes she shes they theyre we were theres this id youre thats mum dad baby")
_STATES = words(
    "have has had having feel feels felt got getting get is are was started came comes began keeps developed "
    "hurts aches presents presented reports complains see sees seen noticed noticing experienced experiencing "
    "experience notice been any reported suffers suffering suffered"
)
_ITEM_VERBS = words(
    "have has had having feel feels felt got getting get been any is are was seem look notice noticed "
    "noticing experience experienced experiencing see seen suffer suffering report reporting complain be "
    "being seems looks of the a an really actually ever much my his her their particularly especially "
    "significant obvious recent new known other further associated in with from history sign signs symptom "
    "symptoms evidence complaints complaint difficulty think feeling taking take taken currently either even "
    "quite very that at all on"
)  # fmt: skip
_POSITIVE = words(
    "a an my his her some bad severe terrible sudden awful really very also mild slight quite still constant "
    "horrible nasty dry productive"
)  # fmt: skip
# The screen also takes "no energy" and "not eating" for no denial; here these are findings with a "not" inside.
_PSEUDO = tuple(
    phrase for phrase in PSEUDO
    if phrase.split()[-1] not in words("energy appetite sleep strength food air breath eat drink take slept normal")
)  # fmt: skip
_UNSURE = words("maybe perhaps possibly possible might unsure probably query suspect suspected ?")
_UNSURE_PHRASES = (
    "could this", "could it", "could i", "could he", "could she",
    "is it", "is this", "do i", "have i", "am i", "might i",
    "not sure", "not certain", "dont know", "do not know", "couldnt say", "cant tell", "could be", "may be",
    "may have", "hard to tell", "cant say", "not quite sure",
    "wondering if", "no idea if", "i wonder", "unsure if", "or maybe", "sort of feel", "kind of feel", "or is it",
)  # fmt: skip
_GONE_AFTER = ("resolved", "settled", "subsided", "gone", "stopped", "cleared", "disappeared", "vanished", "passed")
_GONE_PHRASES = (
    "went away", "gone away", "gone now", "better now", "fine now", "ok now", "got better", "cleared up",
    "all gone", "settled down", "stopped now", "has stopped", "now gone",
    "has resolved", "has settled",
    "has now gone", "no longer there", "no more", "not any more", "not anymore", "isnt there", "is absent",
    "denied", "was negative", "broke yesterday", "has broken",
    "come down", "came down", "back to normal",
    "came down to normal", "is normal now", "gave up", "never came back",
)  # fmt: skip
_SINCE_OVER = (
    "none since", "nothing since", "not since", "not now", "none now", "none today", "not today", "gone since", "ok since", "fine since",
    "none at the moment", "not any more", "normal since", "none after", "not had it since", "not had one since", "not had any since",
)  # fmt: skip
_ENDS = words("now away completely but and today this since by after within yesterday last again altogether though")
_NOT_GONE = words(
    "not hasnt havent never wont isnt no wouldnt doesnt didnt nothing dont after before until if unless except when"
)
_DOUBLE = (
    "cant stop", "wont stop", "not stop", "doesnt stop", "never stop", "not going away", "wont go away",
    "doesnt go away", "not gone", "hasnt gone",
    "not better", "no better", "not improving", "isnt getting better", "not getting better", "no relief",
    "not responding",
    "not relieved", "not eased", "no change in", "not only", "not just", "no wonder", "no doubt",
    "cant get rid", "not shifting", "wont shift",
    "doesnt help", "not helping", "didnt help", "not helped", "hasnt helped", "no help", "not touching",
    "dont touch", "doesnt touch", "dont help", "dont work", "doesnt work",
    "hasnt touched", "not touched",
   
    "never had such", "never had pain like",
    "never had a headache like", "never felt", "never known", "no idea", "no reason", "no matter",
    "no warning", "no letup", "not bearable",
    "never ending", "not worked", "not working", "not long", "not slept", "not sleep", "nothing helps",
    "not settled", "not settling",
    "never like this", "never this bad", "not as bad", "not too bad", "not that bad", "not so bad", "not bad",
    "not usually", "not normally", "not even",
    "not bothered", "not bothering", "no bigger", "no sooner", "not usual",
)  # fmt: skip
_HISTORY = (
    "years ago", "year ago", "history of", "hx of", "h/o", "in the past", "used to", "as a child",
    "when i was", "when he was", "when she was", "last year",
    "previous", "previously", "past history", "prior", "childhood", "years back", "pmh", "past medical",
    "as a kid", "as a teenager", "decades ago",
    "a few years back", "in my twenties", "in my teens", "before the pregnancy",
)  # fmt: skip
_NOT_HISTORY = words(
    "day days week weeks month months hour hours year years d w wk wks long short hr hrs progressive minute"
)


def _recent(text: str) -> bool:
    """ "in the past 3 months", "in the past few days" is no past history."""
    following = text.split(" in the past ", 1)[-1].split()
    return " in the past " in text and bool(following) and bool(_NOT_HISTORY & set(following[:4]))


class Scope:
    """Judges places of one sentence, tokens[begin:end]."""

    def __init__(self, tokens: Sequence[Token], begin: int, end: int) -> None:
        self.tokens, self.begin, self.end = tokens, begin, end
        self.texts = [t.text for t in tokens[begin:end]]
        self.kinds = [t.kind for t in tokens[begin:end]]
        joined = " ".join(self.texts)
        self._plain = f" {joined} "
        self._quiet = self._marks(_PSEUDO, False) | self._marks(_DOUBLE, True)

    def _marks(self, phrases: Sequence[str], begins: bool) -> set[int]:
        """Indexes of the first words of the phrases that occur here; `begins`: the beginning of a word is enough."""
        out: set[int] = set()
        for phrase in phrases:
            if f" {phrase}" not in self._plain:
                continue  # quick: most phrases do not occur
            words = phrase.split()
            for i in range(len(self.texts) - len(words) + 1):
                if all(
                    self.texts[i + k] == w or (begins and k and len(w) > 3 and self.texts[i + k].startswith(w))
                    for k, w in enumerate(words)
                ):
                    out.add(i)
        return out

    def judge(
        self, start: int, end: int, consumed: Collection[int], found: Collection[tuple[int, int]], lasting: bool = False
    ) -> Assertion:
        """The assertion of tokens[start:end]; `consumed` negations belong to findings, `found` are all findings.

        `lasting`: an illness, medicine or exposure, which is not over when a word like "stopped" is near.
        """
        i, j = start - self.begin, end - self.begin
        used = {c - self.begin for c in consumed}
        if not lasting and self._gone(i, j):
            return Assertion("absent")
        choice = self._denied(i, j, used, [(a - self.begin, b - self.begin) for a, b in found])
        if choice == "present" and not lasting and self._over(i, j):
            return Assertion("present", True)
        if choice == "present" and self._uncertain(i, j):
            choice = "unknown"
        return Assertion(choice, self._long_ago(i, j))

    def _denied(self, i: int, j: int, used: set[int], found: list[tuple[int, int]]) -> Choice:
        texts, kinds = self.texts, self.kinds
        if self._after_denial(j):
            return "absent"
        k = i - 1
        while k >= 0 and i - k < 40:
            word = texts[k]
            if kinds[k] == CLAUSE and word not in ("/",):
                return "present"
            cue = kinds[k] == WORD and k not in used and (word in _FORWARD or word in VERB_NEGATORS)
            if cue and k in self._quiet:
                return "present"
            if cue and k + 1 < len(kinds) and kinds[k + 1] == COMMA and word in ("no", "not", "none", "never"):
                return "present"
            if cue:
                return self._reaches(k, i, j, word in VERB_NEGATORS, found)
            if word in _STOP and kinds[k] == WORD:
                return "present"
            k -= 1
        return "present"

    def _reaches(self, cue: int, i: int, j: int, verb: bool, found: list[tuple[int, int]]) -> Choice:
        """Does the denial at `cue` still hold at i? Walks the words in between."""
        texts, kinds = self.texts, self.kinds
        items = sum(1 for a, b in found if cue < a and b <= i and not (a <= i < b))
        free = 0
        segment_start = cue + 1
        doubtful = False
        for k in range(cue + 1, i):
            word = texts[k]
            inside = any(a <= k < b for a, b in found)
            if kinds[k] == COMMA or word in ("and", "or", "nor", "/", "+"):
                if kinds[k] == COMMA or word == "and":
                    verdict = self._list(k, i, cue, verb, word)
                    if verdict == "present":
                        return "present"
                    doubtful = doubtful or verdict == "unknown"
                segment_start = k + 1
                free = 0
                continue
            if inside:
                continue
            if word in _SUBJECT and k > cue + 2:
                return "present"
            started = any(cue < a < k for a, _ in found)
            if started and word in ("with", "when", "while", "after", "for", "since"):
                return "present"  # "no fever with the cough"
            if word in _ITEM_VERBS or kinds[k] == NUMBER:
                # "no fever has cough": a verb after an item begins something new
                if items and k > segment_start and word in ("has", "have", "had", "is", "got", "feels"):
                    return "present"
                continue
            free += 1
            if verb and free > 2 and segment_start == cue + 1:
                return "present"  # "paracetamol doesnt help with my headache"
            if free > 5:
                return "present"
        return "unknown" if doubtful else "absent"

    def _list(self, comma: int, i: int, cue: int, verb: bool, word: str) -> Choice:
        """Whether the denial passes the comma or "and" at `comma` on its way to i."""
        texts, kinds = self.texts, self.kinds
        after = texts[comma + 1] if comma + 1 < len(texts) else ""
        if after in ("or", "nor"):
            return "absent"
        if word == "and":
            if after in _POSITIVE or after in _SUBJECT or after in _STOP or (verb and after in _STATES):
                return "present"
            if after in ("has", "have", "had", "feels", "feel", "is", "are", "started", "got"):
                return "present"
            if any(kinds[k] == COMMA for k in range(cue, comma)):
                return "absent" if self._closed_by_or(comma) else self._open(cue)
            return "absent"
        if after in _SUBJECT or after in _STOP or after in ("has", "have", "feels", "feeling", "my", "his", "her"):
            return "present"
        if self._closed_by_or(comma):
            return "absent"
        if after in _POSITIVE:
            return "present"
        return self._open(cue)

    def _closed_by_or(self, comma: int) -> bool:
        """ "..., cough or chest pain": short items up to an "or"/"nor"."""
        length = 0
        for k in range(comma + 1, min(len(self.texts), comma + 40)):
            word = self.texts[k]
            if word in ("or", "nor"):
                return True
            if self.kinds[k] == COMMA:
                length = 0
                continue
            if (
                self.kinds[k] == CLAUSE
                or word in _STOP
                or word in _FORWARD
                or word in VERB_NEGATORS
                or word in _SUBJECT
            ):
                return False
            length += 1
            if length > 5:
                return False
        return False

    def _open(self, cue: int) -> Choice:
        """A list after a denial without "or": three or more short items are one list; two may be anything."""
        segments, length, n = 0, 0, 0
        for k in range(cue + 1, len(self.texts)):
            word = self.texts[k]
            if self.kinds[k] in (COMMA, CLAUSE) or word in ("and", "n"):
                nxt = self.texts[k + 1] if k + 1 < len(self.texts) else ""
                if segments and self.kinds[k] != CLAUSE and nxt in _POSITIVE:
                    return "present"  # "no fever, runny nose and a cough": the list is of what there is
                segments += 1
                n = max(n, length)
                length = 0
                if self.kinds[k] == CLAUSE:
                    break
                continue
            if word in _FORWARD or word in VERB_NEGATORS or word in _STOP:
                # the next denial says where this one ended: "no fever, cough, no rash"
                return "present" if length == 0 and segments else "unknown"
            if word in _SUBJECT or word in ("my", "has", "have", "feels", "started", "since"):
                return "present"
            length += 1
        segments += 1
        n = max(n, length)
        if segments >= 3 and n <= 4:
            return "absent"
        return "unknown" if n <= 3 else "present"

    def _after_denial(self, j: int) -> bool:
        """ "fever: no", "chest pain - none", "rash absent", "fever denied"."""
        texts, kinds = self.texts, self.kinds
        k = j
        while k < len(texts) and texts[k] in ("is", "was", "are", ":", "-", "=", "(", "at"):
            k += 1
        if k >= len(texts):
            return False
        word = texts[k]
        ends = k + 1 >= len(texts) or kinds[k + 1] != WORD
        if (
            word in ("no", "none", "nil", "never", "negative", "absent", "denied", "nope")
            and ends
            and (k > j or word not in ("no",) or ends)
        ):
            return True
        return word in ("denied", "absent", "excluded") and k - j <= 1

    def _gone(self, i: int, j: int) -> bool:
        """ "the headache has gone", "fever settled", "stopped vomiting", "no longer dizzy"."""
        texts = self.texts
        before = texts[max(0, i - 4) : i]
        for n, word in enumerate(before):
            rest = before[n + 1 :]
            if word in ("stopped", "finished") and all(
                w in ("the", "my", "his", "her", "being", "any", "now", "with") for w in rest
            ):
                return not (n and before[n - 1] in _NOT_GONE) and not any(
                    w in _NOT_GONE for w in texts[max(0, i - 6) : i]
                )
            if word == "longer" and n and before[n - 1] == "no" and len(rest) <= 2:
                return True
        tail = texts[j : j + 6]
        for n, word in enumerate(tail):
            if self.kinds[j + n] != WORD or word in _STOP or word in ("and", "or", "when", "if", "for"):
                break
            if word in _NOT_GONE:
                return False
            pair = " ".join(tail[n : n + 2])
            if pair in _GONE_PHRASES or (
                word in _GONE_AFTER
                and n <= 3
                and (
                    n == 0
                    or tail[n - 1]
                    in (
                        "has",
                        "have",
                        "is",
                        "all",
                        "now",
                        "just",
                        "since",
                        "had",
                        "then",
                        "was",
                        "already",
                        "completely",
                        "soon",
                    )
                )
            ):
                if word not in ("gone", "passed", "stopped", "cleared") or pair in _GONE_PHRASES:
                    return True
                k = j + n + 1  # "gone" ends the matter, "gone hard" and "gone down my leg" do not
                if k >= len(texts) or self.kinds[k] != WORD or texts[k] in _ENDS:
                    return True
                break
        rest = texts[j:]
        for n in range(len(rest) - 1):
            if " ".join(rest[n : n + 2]) in ("any more", "not anymore", "no more") or rest[n] == "anymore":
                return any(
                    w in ("not", "dont", "doesnt", "isnt", "no", "havent", "hasnt") for w in texts[max(0, i - 4) : i]
                )
        return False

    def _over(self, i: int, j: int) -> bool:
        """ "feverish on Monday, none since", "had a temperature at the weekend but not now"."""
        before = self.texts[max(0, i - 4) : i]
        if not {"was", "had", "were", "been"} & set(before):
            return False
        tail = " ".join(self.texts[j : j + 10])
        return any(phrase in tail for phrase in _SINCE_OVER)

    def _uncertain(self, i: int, j: int) -> bool:
        texts = self.texts
        k = i - 1
        span = 0
        while k >= 0 and span < 6:
            word = texts[k]
            if self.kinds[k] in (COMMA, CLAUSE) and word != "?":
                break
            if word in _STOP:
                break
            pair = f"{texts[k]} {texts[k + 1]}" if k + 1 < len(texts) else ""
            numbered = k + 1 < len(texts) and self.kinds[k + 1] == NUMBER  # "maybe 10 seconds"
            if (word in _UNSURE or pair in _UNSURE_PHRASES) and not numbered:
                return True
            k -= 1
            span += 1
        tail = texts[j : j + 4]
        for n, word in enumerate(tail):
            if self.kinds[j + n] == COMMA and n == 0 and len(tail) > 1 and tail[1] in ("maybe", "perhaps", "possibly"):
                return len(tail) < 3 or (self.kinds[j + 2] != NUMBER and j + 2 >= len(texts))
            if self.kinds[j + n] in (COMMA, CLAUSE):
                break
            pair = " ".join(tail[n : n + 2])
            if pair in ("not sure", "i think maybe", "cant tell"):
                return True
            if n == 0 and word in ("maybe", "perhaps", "possibly") and j + 1 >= len(texts):
                return True
        return False

    def _long_ago(self, i: int, j: int) -> bool:
        """Said of the past: "pneumonia years ago", "history of asthma", but not "a 2 week history of cough"."""
        texts = self.texts
        low, high = i, j
        while (
            low > 0
            and self.kinds[low - 1] not in (COMMA, CLAUSE)
            and texts[low - 1] not in ("but", "now", "because")
            and i - low < 8
        ):
            low -= 1
        while (
            high < len(texts)
            and self.kinds[high] not in (COMMA, CLAUSE)
            and texts[high] not in ("but", "now", "because", "and", "so")
            and high - j < 7
        ):
            high += 1
        before, after = " " + " ".join(texts[low:i]) + " ", " " + " ".join(texts[j:high]) + " "
        if (
            " last year" in after
            or " years ago" in after
            or " year ago" in after
            or (" in the past" in after and not _recent(after))
            or " as a child" in after
        ):
            return not any(w in ("started", "began", "since", "diagnosed") for w in (*texts[low:i], *texts[j:high]))
        for phrase in _HISTORY:
            if f" {phrase} " in before and not (phrase == "in the past" and _recent(before)):
                if phrase == "history of" or phrase == "history":
                    at = texts[low:i]
                    k = at.index("history") if "history" in at else 0
                    lead = texts[max(0, low + k - 4) : low + k]
                    if any(w in _NOT_HISTORY or w.startswith("present") for w in lead):
                        return False
                return phrase != "used to" or not any(w in ("than", "not", "more") for w in texts[low:i])
        return False
