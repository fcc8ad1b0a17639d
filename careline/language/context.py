"""How a word is meant: negated, past, hypothetical, over, long-standing, mild; and whose it is.

After ConText (Harkema 2009): triggers with a direction and a scope that ends at clause borders, reworked for the way
patients type. `annotate` gives one bit mask per token; the caller decides which attributes silence what.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from careline.language.tokens import CLAUSE, COMMA, MESSAGE, NUMBER, SENTENCE, WORD, Token

NEGATED, PAST, HYPOTHETICAL, RESOLVED, CHRONIC, MILD, JOKE = 1, 2, 4, 8, 16, 32, 64

# forward over nouns and adjectives; "and"/"or" stay inside
NEGATORS = frozenset("no without denies deny denied denying nor neither nil sin sem pas kein keine keinen keiner ohne bez "
                     "afebrile negative none never not aint".split())  # fmt: skip
_LIST_HEADS = frozenset("denies denied denying deny nil".split())
# forward over a verb phrase; "and", "because" end it
VERB_NEGATORS = frozenset(
    "dont doesnt didnt isnt arent wasnt werent hasnt havent hadnt wouldnt nicht nunca nie nao nein".split()
)
# these never deny a symptom: "can't stop the bleeding", "won't stop hurting"
STOPPERS = frozenset("but however although though except apart yet until because since which so then instead "
                     "only pero mais aber mas ale where just still cant couldnt wont unable keeps keep".split())  # fmt: skip
SUBJECTS = frozenset("i im ive id my me he hes she shes they theyre we were his her it its theres this thats mum dad "
                     "mums dads there".split())  # fmt: skip
# "no" and "not" that deny nothing that follows
PSEUDO = (
    "not sure", "not certain", "not only", "not just", "not know", "not even", "no idea", "no wonder", "no doubt",
    "no matter", "no joke", "no longer able", "no good", "no better", "not better", "not getting better", "no help",
    "not help", "not work", "no use", "no one", "noone", "no body", "not ok", "not okay", "not right", "not well", "not good",
    "not feel well", "not feel right", "not feel good", "not feel great", "not feel ok", "not gone", "not going", "not stop",
    "not improve", "not settle", "not ease", "not shift", "not touch", "not normal", "not like me", "no change", "not change",
    "no improvement", "no relief", "no let up", "no end", "no sign of stop", "no luck", "not the first", "no answer",
    "no way", "not want", "no energy", "no appetite", "no sleep", "no strength", "no food", "no warning", "no reason",
    "not too good", "not so good", "not too well", "not very well", "not myself", "not himself", "not herself", "not much",
    "not until", "not long", "not bad enough", "not coping", "not cope", "not kidding", "not joking", "not being funny",
    "not to worry you", "no thanks", "no worries", "no problem", "not making", "not make", "not eat", "not drink", "not take",
    "not sleep", "not slept", "not fun", "not been right", "not been well", "not been myself", "no air", "no breath",
    "not long after", "not stopped", "not an emergency", "not want to bother", "not mean", "not realise",
    "not believe", "not say", "not care", "not like", "not understand", "not see anyone", "not get through", "not doing well",
)  # fmt: skip
_PAST_WORDS = frozenset("previous previously formerly historical childhood hx history historically".split())
_UNITS_LONG = frozenset("year years decade decades".split())
_UNITS_MID = frozenset("month months".split())
_LONG_AGO = frozenset("summer winter autumn spring christmas easter year month years months".split())
_NOW = frozenset("now today tonight currently presently morning afternoon again suddenly sudden started starting just rn".split())
_FINE = frozenset("fine ok okay well better gone safe stable good alright normal settled cleared recovered happily happy great "
                  "right over resolved mended healed sorted control controlled clear back awake quiet".split())  # fmt: skip
_RESOLVED = (
    "fine now", "ok now", "okay now", "well now", "better now", "gone now", "safe now", "good now", "alright now", "now fine",
    "stable now", "all stable", "all clear", "cleared up", "clear up", "went away", "gone away", "go away now", "resolved",
    "recovered", "fully recover", "settled down", "all settled", "healed", "got better", "getting better", "nearly gone", "almost gone",
    "all gone", "was treated", "successfully treated", "treated successfully", "back to normal", "feel fine", "feeling fine",
    "feeling good", "feel good", "feel well", "feel great", "feeling great", "feeling well", "feel ok", "feel okay", "happily now", "under control",
    "well controlled", "finished treatment", "no longer", "used to", "stopped now", "it stopped", "has stopped", "mended",
    "all good", "feel absolutely fine", "feel completely normal", "otherwise fine", "otherwise well", "hell be fine",
)  # fmt: skip
_CHRONIC = (
    "as usual", "as she always", "as he always", "like she always", "like he always", "always does", "as i always", "as they always", "always do", "same as always", "same as usual", "as always", "the usual", "usual one", "my usual", "no change", "unchanged",
    "for years", "for ages", "all my life", "since childhood", "since birth", "since i was", "for decades", "nothing new",
    "same as ever", "like always", "long standing", "longstanding", "years now", "has always", "have always", "always had",
    "always get", "always have", "normal for me", "usual for me", "on and off for years", "since the kids", "like every month",
)  # fmt: skip
_MILD = frozenset("mild mildly slight slightly tiny little minor small bit faint lightly barely".split())
_JOKE = frozenset("lol lmao haha hahaha hehe lolz rofl jk lmfao jokes joking xd hahahaha ha".split())

_ASK_HEAD = frozenset("what whats how when whens is are can could should does do which why would will was whos where".split())
_GENERIC = frozenset("someone somebody anyone anybody people person child children baby babies patient patients adult adults kids "
                     "women men woman man you one".split())  # fmt: skip
_INFORMATION = (
    "what is", "what are", "whats", "what does", "what do", "what causes", "what cause", "what counts", "what would happen",
    "what happens", "what temp", "what temperature", "what number", "what level", "what symptoms", "what signs",
    "how do i know", "how do you know", "how would i know", "how can i tell", "how can you tell", "how do you tell", "how do i tell",
    "how would i recognise", "how do i prevent", "how to prevent", "how do i avoid", "how can i avoid", "how can i prevent",
    "how to avoid", "how to recognise", "how to spot", "how to tell", "how do i spot", "how do i recognise", "how do you",
    "how common", "how dangerous", "how serious", "how long after", "how long does", "how long should", "how long do",
    "how soon after", "how much is", "how often", "how likely", "how high", "how low", "how is", "how are",
    "when should", "when do", "when is", "when would", "is it dangerous if", "is it bad if a", "is it dangerous", "is it safe",
    "is there a", "is there any", "are there", "is the", "can stress", "can anxiety", "can you get", "can you overdose", "can you od", "can you die", "can you catch", "can i overdose", "can someone", "can anyone", "is it possible to", "can a", "can an", "can people",
    "can children", "can babies", "can too much", "can coffee", "could my tablet", "could my medication", "could my medicine", "could it cause",
    "can it cause", "can this cause", "could this cause", "can cause", "could cause", "does it cause", "do they cause", "does stress", "does every",
    "does an", "does a", "do all", "do you get", "does everyone", "should people", "should someone", "should i worry about",
    "should i be worried about", "should we worry", "what if", "what to do if", "what should i do if", "what should you do if", "what do i do if",
    "what do you do if", "in case of", "in case i", "am i at risk", "at risk of", "risk of", "am i more likely", "the difference between",
    "difference between", "meaning of", "the signs of", "signs and symptoms", "warning signs", "symptoms of", "red flags for", "definition",
    "for my nursing", "for my essay", "for an essay", "for my course", "for my training", "for school", "homework", "for a project",
    "asked what", "asked me what", "wondering what", "curious", "just wondering", "in general", "general question", "hypothetically",
    "leaflet about", "leaflet on", "information about", "information on", "info on", "info about", "advice on preventing",
    "course on", "article about", "read about", "read that", "tv show", "documentary", "first aid course", "first aid training", "training course",
    "why do people", "why do some", "why does", "which vaccine", "who is at risk", "could i get", "can i get", "can i catch", "will i get", "would i get",
    "whats the", "do i need a", "tell me about", "explain", "normal in", "is it normal for", "contagious", "hereditary", "run in families",
)  # fmt: skip
_ASKED_OF_ALL = frozenset("contagious infectious catching hereditary genetic curable preventable treatable inherited".split())
_VERB_HEADS = frozenset("is are can could should do does will would".split())
_GENERIC_IF = frozenset("if when".split())


def _phrases(items: Sequence[str]) -> dict[str, list[tuple[str, ...]]]:
    out: dict[str, list[tuple[str, ...]]] = {}
    for item in items:
        words = tuple(item.split())
        out.setdefault(words[0], []).append(words)
    return out


_RESOLVED_BY, _CHRONIC_BY, _INFORM_BY, _PSEUDO_BY = map(_phrases, (_RESOLVED, _CHRONIC, _INFORMATION, PSEUDO))


def _at(texts: Sequence[str], i: int, table: dict[str, list[tuple[str, ...]]]) -> int:
    """Length of the phrase of `table` that begins at token i, or 0."""
    for words in table.get(texts[i], ()):
        n = len(words)
        if tuple(texts[i : i + n]) == words:
            return n
    return 0


def annotate(tokens: Sequence[Token], consumed: Collection[int] = frozenset()) -> list[int]:
    """One mask per token of NEGATED | PAST | HYPOTHETICAL | RESOLVED | CHRONIC | MILD | JOKE.

    `consumed`: indexes of tokens that a phrase has already used up ("not" in "not breathing"); they deny nothing.
    NEGATED and MILD reach inside a clause, PAST a clause (longer when a list goes on), RESOLVED, CHRONIC, JOKE and
    HYPOTHETICAL a sentence.
    """
    masks = [0] * len(tokens)
    start = 0
    for i, token in enumerate(tokens):
        if token.kind in (SENTENCE, MESSAGE):
            if i > start:
                _sentence(tokens, start, i, masks, consumed, token.raw)
            start = i + 1
    if start < len(tokens):
        _sentence(tokens, start, len(tokens), masks, consumed, "")
    return masks


def _sentence(
    tokens: Sequence[Token], start: int, end: int, masks: list[int], consumed: Collection[int], mark: str
) -> None:
    texts = [t.text for t in tokens[start:end]]
    kinds = [t.kind for t in tokens[start:end]]
    bits = 0
    joke = not _JOKE.isdisjoint(texts)
    for i in range(len(texts)):
        if kinds[i] != WORD:
            continue
        if _at(texts, i, _RESOLVED_BY):
            bits |= RESOLVED
        elif _at(texts, i, _CHRONIC_BY):
            bits |= CHRONIC
    if joke:
        bits |= JOKE
    if bits:
        for i in range(start, end):
            masks[i] |= bits
    _hypothetical(texts, kinds, start, masks, mark)
    _past(tokens, texts, kinds, start, masks)
    _negation(texts, kinds, start, masks, consumed)
    for i, text in enumerate(texts):
        if text in _MILD:
            for j in range(i, min(i + 5, len(texts))):
                if j > i and kinds[j] != WORD:
                    break
                masks[start + j] |= MILD


def _clauses(texts: Sequence[str], kinds: Sequence[str]) -> list[tuple[int, int]]:
    out, begin = [], 0
    for i, text in enumerate(texts):
        if kinds[i] in (COMMA, CLAUSE) or text in ("but", "however", "although", "though"):
            out.append((begin, i))
            begin = i + 1
    out.append((begin, len(texts)))
    return out


def _hypothetical(texts: list[str], kinds: list[str], start: int, masks: list[int], mark: str) -> None:
    clauses = _clauses(texts, kinds)
    for begin, end in clauses:
        if begin >= end:
            continue
        at = -1
        if texts[begin] in _ASK_HEAD and not _ASKED_OF_ALL.isdisjoint(texts[begin:end]):
            at = begin  # "is sepsis contagious"
        elif texts[begin] in ("what", "which") and not {"level", "range", "reading"}.isdisjoint(texts[begin + 1 : end]):
            at = begin  # "what ketone level is too high"
        for i in range(begin, end) if at < 0 else ():
            if kinds[i] == WORD and _at(texts, i, _INFORM_BY):
                if "point" in texts[i + 1 : i + 4]:
                    break  # "what's the point of going on" is despair, not a question
                if texts[i] in _VERB_HEADS and i - begin > 2:
                    continue  # "she thinks the baby is the devil" asks nothing
                at = i
                break
        if at >= 0:
            # "what is wrong with me, my chest hurts": the person's own present complaint is not information
            rest = texts[at:end]
            own = any(w in ("im", "ive", "hes", "shes", "hurts", "hurting", "having", "wont", "cant") for w in rest)
            own = own or ("my" in rest and not _condition(rest))
            own = own and not any(w in ("if", "cause", "causes", "risk", "prevent", "avoid", "recognise", "spot") for w in rest)
            if not own:
                for i in range(at, len(texts)):
                    if i >= end and texts[i] in ("im", "ive", "my", "hes", "shes", "i"):
                        break
                    masks[start + i] |= HYPOTHETICAL
                continue
        for i in range(begin, end):
            if texts[i] == "if" and i + 1 < end and texts[i - 1 : i] != ["as"] and _condition(texts[i : i + 4]):
                for j in range(i, end):
                    masks[start + j] |= HYPOTHETICAL
                break


def _condition(words: Sequence[str]) -> bool:
    """Does an "if" speak of nobody in particular or of the future ("if a child", "if i get", "if she has")?"""
    if "if" not in words:
        return False
    after = list(words[words.index("if") + 1 :])[:3]
    return bool(after) and (
        after[0] in ("a", "an", "your", "you") or after[0] in _GENERIC or (len(after) > 1 and after[1] in ("get", "gets", "got", "ever", "were", "start", "develop", "gets", "becomes", "have"))
    )


def _past(tokens: Sequence[Token], texts: list[str], kinds: list[str], start: int, masks: list[int]) -> None:
    clauses = _clauses(texts, kinds)
    was_past = False
    for begin, end in clauses:
        if begin >= end:
            continue
        marked = any(_past_marker(tokens, texts, kinds, start, i, end) for i in range(begin, end))
        now = _current(texts, begin, end)
        if marked and (not now or "used" in texts[begin:end]):
            was_past = True
        elif was_past and (now or texts[begin] in SUBJECTS):
            was_past = False
        if was_past:
            for i in range(begin, end):
                masks[start + i] |= PAST


def _past_marker(
    tokens: Sequence[Token], texts: list[str], kinds: list[str], start: int, i: int, end: int
) -> bool:
    text = texts[i]
    nxt = texts[i + 1] if i + 1 < end else ""
    if kinds[i] == NUMBER:
        value = tokens[start + i].value
        before = texts[i - 1] if i else ""
        if value is not None and 1930 <= value <= 2099 and len(text) == 4 and before in ("in", "since", "from", "of", "during", "back", "late", "early", "around", "until", "till", "on"):
            return True
        if nxt in _UNITS_LONG and i + 2 < end and texts[i + 2] in ("ago", "back", "earlier"):
            return True
        return nxt in _UNITS_MID and i + 2 < end and texts[i + 2] in ("ago", "back") and (value or 0) >= 1
    if text in _UNITS_LONG and nxt in ("ago", "back"):
        return True
    if text in _UNITS_MID and nxt in ("ago", "back"):
        return True
    if text == "last" and nxt in _LONG_AGO:
        return True
    if text == "when" and nxt in ("i", "he", "she", "we") and i + 2 < end and texts[i + 2] in ("was", "were", "had"):
        return not (i + 3 < end and texts[i + 3].endswith("ing"))
    if text == "as" and nxt in ("a", "an", "kid", "child", "teenager", "baby") and i + 1 < end:
        return any(w in ("kid", "child", "teenager", "baby", "teen", "toddler", "newborn", "student") for w in texts[i + 1 : i + 3])
    if text == "used" and nxt == "to":
        return i + 2 >= end or texts[i + 2] not in ("it", "this")
    if text in ("passed", "died") and (text == "died" or nxt == "away"):
        return True
    if text == "once" and i > 0 and texts[i - 1] not in ("at", "all", "than", "only"):
        return nxt in ("when", "in", "as", "before", "years")
    if text in _PAST_WORDS:
        return not (text == "history" and nxt == "repeating")
    return text == "at" and nxt == "diagnosis"


def _current(texts: list[str], begin: int, end: int) -> bool:
    for i in range(begin, end):
        if texts[i] in _NOW and not (texts[i] == "just" or (i > begin and texts[i - 1] in _FINE)):
            return True
    return False


def _negation(texts: list[str], kinds: list[str], start: int, masks: list[int], consumed: Collection[int]) -> None:
    n = len(texts)
    i = 0
    while i < n:
        text = texts[i]
        verb = text in VERB_NEGATORS
        if kinds[i] != WORD or not (verb or text in NEGATORS) or (start + i) in consumed:
            i += 1
            continue
        pseudo = _pseudo(texts, i)
        if pseudo:
            i += pseudo
            continue
        if i + 1 < n and kinds[i + 1] == COMMA and text in ("no", "none", "not", "never", "nein"):
            i += 1  # "no, my chest hurts": an answer
            continue
        if i and text in ("no", "none", "nil", "never", "negative") and (i + 1 == n or kinds[i + 1] != WORD):
            j = i - 1  # "fever: no"
            while j >= 0 and kinds[j] == WORD and i - j <= 4:
                masks[start + j] |= NEGATED
                j -= 1
            if j == i - 1 and kinds[j] == CLAUSE:
                j -= 1
                while j >= 0 and kinds[j] == WORD and i - j <= 5:
                    masks[start + j] |= NEGATED
                    j -= 1
            i += 1
            continue
        i = _scope(texts, kinds, start, masks, i, verb)


def _scope(texts: list[str], kinds: list[str], start: int, masks: list[int], i: int, verb: bool) -> int:
    n, j, count = len(texts), i + 1, 0
    limit = 7 if verb else 9
    while j < n and count < limit:
        word = texts[j]
        if kinds[j] == CLAUSE and texts[j] not in ("/",):
            break
        if kinds[j] == COMMA:
            if not _list_goes_on(texts, kinds, j, texts[i] in _LIST_HEADS):
                break
            count = 0
        elif word in STOPPERS:
            break
        elif word == "and":
            after = texts[j + 1] if j + 1 < n else ""
            if verb or after in SUBJECTS or after in STOPPERS or after in ("feel", "feels", "feeling", "now", "very", "really", "bad", "severe", "sudden"):
                break
        elif word in SUBJECTS and count > 1 and word not in ("my", "his", "her", "it", "its", "there"):
            break
        else:
            count += 1
        masks[start + j] |= NEGATED
        j += 1
    return max(j, i + 1)


def _list_goes_on(texts: list[str], kinds: list[str], comma: int, listed: bool) -> bool:
    """"no fever, cough or chest pain": short items without a subject up to an "or"/"nor" keep the negation; after
    "denies" (`listed`) also without them, up to the end of the clause."""
    length = 0
    for j in range(comma + 1, min(len(texts), comma + 16)):
        word = texts[j]
        if word in ("or", "nor"):
            return True
        if kinds[j] == COMMA:
            length = 0
            continue
        if kinds[j] == CLAUSE or word in STOPPERS or word in SUBJECTS or word in NEGATORS or word == "and":
            return False
        length += 1
        if length > 3:
            return False
    return listed


def _pseudo(texts: list[str], i: int) -> int:
    """Length of the phrase at i that only looks like a denial, or 0; verb negators count as "not"."""
    head = texts[i]
    if head in VERB_NEGATORS:
        head = "not"
    for words in _PSEUDO_BY.get(head, ()):
        n, k, j = len(words), 1, i + 1
        while k < n and j < len(texts) and j <= i + 6:
            word = texts[j]
            if word == words[k] or (len(words[k]) > 4 and word.startswith(words[k]) and len(word) <= len(words[k]) + 3):
                k += 1
            elif word not in ("really", "very", "quite", "feeling", "feel", "been", "a", "the", "being", "at", "all", "to", "too", "so", "getting"):
                break
            j += 1
        if k == n:
            return j - i
    return 0


_OTHERS = frozenset("he hes she shes they theyre him her his their mum mums dad dads wife wifes husband husbands son sons "
                    "daughter daughters baby babys nan nans grandad grandads grandma grandpa granddad nana gran toddler "
                    "child kid brother sister partner boyfriend girlfriend mate friend flatmate housemate uncle aunt auntie "
                    "neighbour customer client lodger colleague man woman lady guy boy girl lad newborn mother father hubby "
                    "missus nephew niece cousin someone grandmother grandfather bloke patient resident passenger stranger "
                    "fella infant twins student bub kiddo tot".split())  # fmt: skip
_SELF = frozenset("i im ive me myself id ill".split())


def subject(tokens: Sequence[Token]) -> Literal["self", "other"]:
    """Whose problem the message is about. "my dad ..." and "he wont wake" are other; in doubt self."""
    first_other = next((i for i, t in enumerate(tokens) if t.text in _OTHERS), None)
    if first_other is None:
        return "self"
    word = tokens[first_other].text
    before = tokens[first_other - 1].text if first_other else ""
    own = [i for i, t in enumerate(tokens) if t.text in _SELF]
    if before in ("to", "hit", "with", "by", "kill", "hurt", "had", "having", "hurting", "at", "from", "throw", "stab", "lost"):
        return "self" if own or word in ("baby",) else "other"
    hurts_me = {"me", "my"} & {t.text for t in tokens}
    acts = {"hit", "hits", "hitting", "choked", "strangled", "threatened", "threatens", "raped", "attacked", "beat", "beats", "slaps", "hurts", "touches", "touched", "made", "locks", "locked"}
    if "me" in hurts_me and any(t.text in acts for t in tokens):
        return "self"
    if own and own[0] < first_other and first_other - own[0] > 6:
        return "self"
    return "other"
