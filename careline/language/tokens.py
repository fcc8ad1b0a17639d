"""Text -> tokens: words with a stem, numbers with a value, and the breaks between clauses and sentences.

Handles text-speak ("cnt", "u"), split or unapostrophed negations ("can not", "doesnt", "don t"), letters stretched
("heeelp"), spelled out ("c h e s t"), mixed with digits ("ch3st"), run together ("chestpain") and mistyped, given a
`Speller` that knows the words one is listening for. Linear in the length of the text; never raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import ahocorasick

from careline.language.normalise import Normal, normalise

WORD, NUMBER, COMMA, CLAUSE, SENTENCE, MESSAGE = "word", "number", "comma", "clause", "sentence", "message"

_TOKEN = re.compile(
    r"\d+(?:[.,:]\d+)*"  # numbers, times, 1,000 and 38,5
    r"|[a-z@$\u0080-\U0010ffff][a-z0-9@$'\u0080-\U0010ffff]*"  # words, also with digits inside
    r"|[.!?\n]+|[;:]|,|(?<=\s)-+(?=\s)|[()\"\[\]]|[/%+&<>=#*]"
)
_NOT = {
    "can": "cant", "could": "couldnt", "would": "wouldnt", "should": "shouldnt", "will": "wont", "do": "dont",
    "does": "doesnt", "did": "didnt", "is": "isnt", "are": "arent", "was": "wasnt", "were": "werent", "has": "hasnt",
    "have": "havent", "had": "hadnt", "must": "mustnt", "am": "aint",
}  # fmt: skip
_T_SPLIT = {"don": "dont", "doesn": "doesnt", "didn": "didnt", "isn": "isnt", "aren": "arent", "wasn": "wasnt",
            "hasn": "hasnt", "haven": "havent", "won": "wont", "couldn": "couldnt", "can": "cant", "ain": "aint",
            "hadn": "hadnt", "wouldn": "wouldnt", "weren": "werent"}  # fmt: skip
_ALIASES = {
    # negations
    "cannot": "cant", "cannt": "cant", "carnt": "cant", "cnt": "cant", "canny": "cant", "cannae": "cant", "cany": "cant",
    "canot": "cant", "caint": "cant", "cnat": "cant", "catn": "cant", "cant't": "cant", "dnt": "dont", "dunt": "dont",
    "dint": "didnt", "didny": "didnt", "dinnae": "dont", "dinny": "dont", "dosent": "doesnt", "dosnt": "doesnt",
    "doesent": "doesnt", "dsnt": "doesnt", "isny": "isnt", "isnae": "isnt", "innit": "", "wnt": "wont", "wonnae": "wont",
    "willnae": "wont", "havnt": "havent", "haveny": "havent", "avent": "havent", "hasny": "hasnt", "hasent": "hasnt",
    "couldny": "couldnt", "coudnt": "couldnt", "cudnt": "couldnt", "couldent": "couldnt", "isint": "isnt", "nt": "not",
    "wouldny": "wouldnt", "wasent": "wasnt", "wasny": "wasnt", "nae": "no", "naw": "no", "nope": "no", "nah": "no",
    # text-speak
    "u": "you", "ur": "your", "r": "are", "pls": "please", "plz": "please", "pleez": "please", "plse": "please",
    "b4": "before", "2day": "today", "2nite": "tonight", "2night": "tonight", "tonite": "tonight", "2moro": "tomorrow",
    "tmrw": "tomorrow", "n": "and", "nd": "and", "an": "a", "w": "with", "wiv": "with", "wi": "with", "coz": "because",
    "cos": "because", "cuz": "because", "bc": "because", "bcos": "because", "hav": "have", "av": "have", "iv": "ive",
    "thru": "through", "sum1": "someone", "some1": "someone", "any1": "anyone", "every1": "everyone", "wanna": "want to",
    "gonna": "going to", "gona": "going to", "gunna": "going to", "gonnae": "going to", "finna": "going to",
    "imma": "im going to", "ima": "im going to", "gotta": "got to", "tryna": "trying to", "outta": "out of",
    "kinda": "kind of", "dunno": "dont know", "idk": "dont know", "lemme": "let me", "gimme": "give me", "yday": "yesterday",
    "yest": "yesterday", "yestday": "yesterday", "yesterdy": "yesterday", "hrs": "hours", "hr": "hour", "mins": "minutes",
    "min": "minutes", "secs": "seconds", "sec": "seconds", "wk": "week", "wks": "weeks", "yr": "year", "yrs": "years",
    "mth": "month", "mths": "months", "mo": "month", "mos": "months", "mnths": "months", "mnth": "month", "dys": "days",
    "yo": "year old", "y": "year", "luv": "love", "alot": "a lot", "abt": "about", "ppl": "people", "smth": "something",
    "sth": "something", "sumat": "something", "summat": "something", "nuffin": "nothing", "nowt": "nothing", "owt": "anything",
    "omg": "", "wtf": "", "tbh": "", "btw": "", "imo": "", "fyi": "", "asap": "", "aswell": "as well", "infront": "in front",
    "rn": "right now", "atm": "right now", "irl": "", "ain't": "isnt", "aint": "isnt", "lil": "little", "wee": "wee",
    "prolly": "probably", "probs": "probably", "def": "definitely", "deffo": "definitely", "obvs": "obviously",
    "temps": "temperature", "tempreture": "temperature", "temprature": "temperature", "temperture": "temperature",
    "preggo": "pregnant", "preggers": "pregnant", "preg": "pregnant", "pregs": "pregnant", "prego": "pregnant",
    # short words that people lose letters from
    "cud": "could", "cuda": "could have", "shud": "should", "wud": "would", "wen": "when", "wot": "what", "wats": "whats",
    "bt": "but", "hv": "have", "hvnt": "havent", "ova": "over", "mah": "my",
    "tlk": "talk", "tlkin": "talking", "spk": "speak", "wlk": "walk", "slp": "sleep", "brthing": "breathing", "brthe": "breathe",
    "breeve": "breathe", "breev": "breathe", "hartrate": "heart rate", "stmch": "stomach", "throwin": "throwing",
    "bleedn": "bleeding", "tummie": "tummy", "tumy": "tummy", "bad'ly": "badly", "realy": "really", "rly": "really",
    "chst": "chest", "cheast": "chest", "chect": "chest", "brth": "breathe", "breth": "breathe", "breef": "breathe",
    "breeth": "breathe", "brethe": "breathe", "breave": "breathe", "breav": "breathe", "breating": "breathing",
    "brething": "breathing", "pn": "pain", "pian": "pain", "pane": "pain", "hart": "heart", "hert": "heart",
    "haert": "heart", "blud": "blood", "bld": "blood", "bludy": "bloody", "bledding": "bleeding", "blding": "bleeding",
    "hed": "head", "haed": "head", "ache": "ache", "akes": "aches", "ake": "ache", "hlp": "help", "halp": "help",
    "stoped": "stopped", "stomache": "stomach", "stomack": "stomach", "belley": "belly", "tounge": "tongue",
    "toung": "tongue", "tung": "tongue", "tonge": "tongue", "throte": "throat", "thoat": "throat", "dieing": "dying",
    "diein": "dying", "dyin": "dying", "suiside": "suicide", "sucide": "suicide", "suicde": "suicide", "pilz": "pills",
    "overdosed": "overdosed", "ods": "od", "od'd": "overdosed", "odd": "odd", "oded": "overdosed", "oding": "overdosing",
    "siezure": "seizure", "seezure": "seizure", "seisure": "seizure", "colapsed": "collapsed", "chocking": "choking",
    "choaking": "choking", "chokin": "choking", "poisened": "poisoned", "diabetis": "diabetes", "diarrea": "diarrhoea",
    "diarrhea": "diarrhoea", "diarhea": "diarrhoea", "feaver": "fever", "fevar": "fever", "feva": "fever", "vommit": "vomit",
    "vomitting": "vomiting", "vomet": "vomit", "swallon": "swollen", "swolen": "swollen", "swelled": "swollen", "swole": "swollen",
    "nubm": "numb", "num": "numb", "weel": "well", "stroak": "stroke", "face": "face", "fase": "face", "speach": "speech",
    "unconcious": "unconscious", "unconsious": "unconscious", "unconcsious": "unconscious", "conscience": "conscience",
    "drouling": "drooling", "wheasing": "wheezing", "weezing": "wheezing", "weezy": "wheezy", "asma": "asthma", "ashma": "asthma",
    "astma": "asthma", "nite": "night", "bby": "baby", "babby": "baby", "bubba": "baby", "babys": "babys", "bab": "baby",
    "hospitle": "hospital", "bleedin": "bleeding", "breathin": "breathing", "shakin": "shaking", "pukin": "puking",
    "goin": "going", "hurtin": "hurting", "comin": "coming", "movin": "moving", "wakin": "waking", "talkin": "talking",
    "killin": "killing", "feelin": "feeling", "eatin": "eating", "drinkin": "drinking", "nothin": "nothing", "somethin": "something",
    "eshopagus": "oesophagus", "sob": "breathless", "soboe": "breathless", "loc": "blackout", "cp": "chest pain",
    "bm": "glucose", "bms": "glucose", "bgl": "glucose", "bg": "glucose", "sats": "saturation", "spo2": "saturation",
    "o2": "oxygen", "hb": "hb", "abdo": "abdominal", "abdomen": "abdomen", "haemorrhage": "haemorrhage",
    "hemorrhage": "haemorrhage", "hemorrhaging": "haemorrhage", "haemorrhaging": "haemorrhage", "hemoraging": "haemorrhage",
    "anaesthetic": "anaesthetic", "tumor": "tumour", "leukemia": "leukaemia", "anemia": "anaemia", "edema": "swelling",
    "oedema": "swelling", "diaper": "nappy", "diapers": "nappies", "mom": "mum", "mommy": "mum", "mam": "mum", "mama": "mum",
    "mummy": "mum", "mammy": "mum", "ma": "mum", "momma": "mum", "mums": "mums", "moms": "mums", "mams": "mums", "gran": "nan",
    "paracetomol": "paracetamol", "paracetemol": "paracetamol", "parecetamol": "paracetamol", "parcetamol": "paracetamol",
    "ibruprofen": "ibuprofen", "ibuprofin": "ibuprofen", "warferin": "warfarin", "warfrin": "warfarin", "kemo": "chemo",
    "keemo": "chemo", "chemeo": "chemo",
}  # fmt: skip
_LEET = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a", "$": "s"})
_LEET_L = str.maketrans({"0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a", "$": "s"})
_NUMBER_WORDS = {
    w: float(n)
    for n, w in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
} | {"twenty": 20.0, "thirty": 30.0, "forty": 40.0, "fourty": 40.0, "fifty": 50.0, "sixty": 60.0, "seventy": 70.0,
     "eighty": 80.0, "ninety": 90.0, "hundred": 100.0, "dozen": 12.0, "couple": 2.0, "half": 0.5}  # fmt: skip
_STEMS = {
    "fell": "fall", "fallen": "fall", "bled": "bleed", "woke": "wake", "woken": "wake", "swollen": "swell", "swole": "swell",
    "bit": "bit", "bitten": "bite", "stung": "sting", "took": "take", "taken": "take", "takin": "take", "drank": "drink",
    "drunk": "drunk", "ate": "eat", "eaten": "eat", "broke": "break", "broken": "break", "threw": "throw", "thrown": "throw",
    "tore": "tear", "torn": "tear", "burnt": "burn", "hung": "hang", "died": "die", "dying": "die", "dies": "die", "dead": "dead",
    "lost": "lose", "losing": "lose", "loses": "lose", "gone": "go", "went": "go", "goes": "go", "came": "come", "felt": "feel",
    "shook": "shake", "shaken": "shake", "shaky": "shake", "cut": "cut", "cutting": "cut", "cuts": "cut", "hitting": "hit",
    "hits": "hit", "found": "find", "ran": "run", "running": "run", "sat": "sit", "stuck": "stuck", "spat": "spit",
    "spitting": "spit", "thought": "think", "thoughts": "think", "gave": "give", "given": "give", "left": "left",
    "children": "child", "kids": "kid", "feet": "foot", "teeth": "tooth", "men": "man", "women": "woman", "nappies": "nappy",
    "worse": "worse", "worst": "worst", "died'": "die", "wrote": "write", "written": "write", "fitting": "fitting",
    "fits": "fit", "was": "was", "his": "his", "this": "this", "is": "is", "has": "has", "us": "us", "yes": "yes", "as": "as",
    "its": "its", "less": "less", "sms": "sms", "does": "does", "being": "be", "during": "during", "morning": "morning",
    "evening": "evening", "nothing": "nothing", "something": "something", "anything": "anything", "everything": "everything",
    "need": "need", "bed": "bed", "red": "red", "led": "lead", "fed": "feed", "used": "used", "string": "string", "king": "king",
    "thing": "thing", "things": "thing", "sing": "sing", "wing": "wing", "ring": "ring", "bring": "bring", "spring": "spring",
    "sting": "sting", "swing": "swing", "during'": "during", "hundred": "hundred", "ceiling": "ceiling", "family": "family",
    "only": "only", "july": "july", "early": "early", "belly": "belly", "jelly": "jelly", "ugly": "ugly", "apply": "apply",
    "reply": "reply", "supply": "supply", "fly": "fly", "flies": "fly", "lying": "lie", "laying": "lie", "lies": "lie",
    "laid": "lie", "tied": "tie", "tying": "tie", "drowned": "drown", "breast": "breast", "diabetes": "diabetes",
    "pills": "pill", "species": "species", "various": "various", "pass": "pass", "passing": "pass", "passed": "pass",
    "chest": "chest", "hands": "hand", "collapsing": "collapse", "unresponsive": "unresponsive", "asthma": "asthma",
    "spun": "spin", "dizziness": "dizzy", "drowsiness": "drowsy", "sleepiness": "sleepy", "sleepier": "sleepy",
    "weaker": "weak", "weakest": "weak", "number": "number", "hotter": "hot", "colder": "cold", "bigger": "big",
    "slept": "sleep", "kept": "keep", "said": "say", "told": "tell", "spoke": "speak", "spoken": "speak", "drove": "drive",
    "beaten": "beat", "choke": "choke", "choking": "choke", "choked": "choke", "chokes": "choke", "news": "news",
    "previous": "previous", "jealous": "jealous", "unconscious": "unconscious", "conscious": "conscious", "wheezy": "wheeze",
    "whilst": "while", "feeling": "feel", "feelings": "feel", "swelling": "swell", "swellings": "swell", "building": "building",
    "breathlessness": "breathless", "sickness": "sick", "sicker": "sick", "poorly": "poorly", "barely": "barely",
    "hardly": "hardly", "really": "really", "nearly": "nearly", "literally": "literally", "actually": "actually",
    "usually": "usual", "finally": "finally", "totally": "totally", "probably": "probably", "elderly": "elderly",
    "curly": "curly", "daily": "daily", "weekly": "weekly", "monthly": "monthly", "stung'": "sting", "better": "better",
    "bleeding": "bleed", "needing": "need", "needed": "need", "feeding": "feed", "agreed": "agree", "speeding": "speed",
    "shot": "shot", "shots": "shot", "shooting": "shoot", "shoots": "shoot", "sore": "sore", "sored": "sore", "core": "core",
    "numbed": "numb", "numbness": "numb", "tingling": "tingl", "tingly": "tingl", "tingles": "tingl", "tingle": "tingl",
    "one": "one", "none": "none", "someone": "someone", "anyone": "anyone", "gone'": "go", "sweaty": "sweat", "sweats": "sweat",
    "itchy": "itch", "achy": "ache", "aching": "ache", "aches": "ache", "ached": "ache", "dizzily": "dizzy", "faintness": "faint",
    "does'": "does", "drowning": "drown", "twins": "twin", "clammy": "clammy", "ashen": "ashen", "sudden": "sudden",
    "suddenly": "sudden", "severely": "severe", "lithium": "lithium", "hurting": "hurt", "hurts": "hurt", "painful": "painful",
    "sprayed": "spray", "stools": "stool", "poos": "poo", "pooing": "poo", "pooed": "poo", "poop": "poo", "pooping": "poo",
    "pooped": "poo", "peed": "pee", "peeing": "pee", "pees": "pee", "weed": "wee", "weeing": "wee", "wees": "wee",
    "freed": "free", "seen": "see", "saw": "see", "seeing": "see", "sees": "see", "fire": "fire", "fired": "fire",
    "caring": "care", "bus": "bus", "gas": "gas", "pus": "pus", "virus": "virus", "anus": "anus", "uterus": "uterus",
    "teething": "teeth", "founding": "found", "sawed": "saw", "yellowish": "yellow", "bluish": "blue", "greyish": "grey", "gray": "grey", "blueish": "blue", "greenish": "green",
}  # fmt: skip


@dataclass(slots=True)
class Token:
    """One word, number or break. `start`/`end` point into the original text; `value` for numbers and number words.

    `text` is the word after alias and spelling repair, `raw` what was typed (folded). `kind`: word, number, comma,
    clause (; : brackets, spaced dash), sentence (. ! ? new line), message (between two messages of a history).
    """

    text: str
    stem: str
    start: int
    end: int
    kind: str
    value: float | None = None
    raw: str = ""
    fixed: bool = False


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The inflection-free form: "breathing", "breathes", "breathe" -> "breath". Cheap and only made to compare."""
    known = _STEMS.get(word)
    if known is not None:
        return known
    n = len(word)
    if n <= 3 or not word.isalpha():
        return word
    if word.endswith("ness") and n > 6:
        word = word[:-4]
        return stem(word[:-1] + "y") if word.endswith("i") else stem(word)
    if word.endswith("ies") and n > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "xes", "ches", "shes", "zzes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is", "as", "os")):
        word = word[:-1]
        known = _STEMS.get(word)
        if known is not None:
            return known
    if word.endswith("ly") and len(word) > 6:
        word = word[:-2]
    if word.endswith("ing") and len(word) > 5 and _has_vowel(word[:-3]):
        word = _undouble(word[:-3])
    elif word.endswith("ied") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith("ed") and len(word) > 4 and not word.endswith("eed") and _has_vowel(word[:-2]):
        word = _undouble(word[:-2])
    if word.endswith("e") and len(word) > 4:
        word = word[:-1]
    return _STEMS.get(word, word)


def _has_vowel(part: str) -> bool:
    return any(c in "aeiouy" for c in part)


def _undouble(part: str) -> str:
    return part[:-1] if len(part) > 3 and part[-1] == part[-2] and part[-1] not in "lsz" else part


class Speller:
    """Mends single words towards the words one listens for.

    `words` are the targets (5 letters or more are mended to), `known` are real words that must be left alone,
    even though they look like a target; a mapping tells how often each word is listened for. One edit (insert, delete, replace, swap) for words of up to 7 letters, two
    for longer ones; the first letter must be right. `glue` are small words that may appear in run-together text.
    """

    def __init__(
        self,
        words: Iterable[str],
        known: Iterable[str] = (),
        glue: Iterable[str] = (),
        foreign: Iterable[str] = (),
    ) -> None:
        self.words = {w for w in words if w.isalpha()}
        self._often = words if isinstance(words, Mapping) else {}
        self.known = set(known) | self.words | set(_ALIASES) | set(_STEMS) | set(_NUMBER_WORDS)
        self.known |= {stem(w) for w in self.known if w not in _ALIASES}  # another inflection of a known word is no mistake
        self.known |= set(foreign)  # words of other languages are known as they stand
        self._stems = {stem(w) for w in self.known - (set(foreign) - self.words) if w not in _ALIASES}
        self._near: dict[str, list[str]] = {}
        for word in sorted(self.words):
            if len(word) >= 5:
                for key in _deletions(word, 1 if len(word) < 7 else 2):
                    self._near.setdefault(key, []).append(word)
        self._parts = ahocorasick.Automaton()
        for word in self.words | set(glue):
            if len(word) >= 2:
                self._parts.add_word(word, word)
        if len(self._parts):
            self._parts.make_automaton()
        self.mend = lru_cache(maxsize=32768)(self._mend)

    def _mend(self, word: str) -> tuple[str, ...]:
        """The word(s) that were probably meant; the word itself when it is known or nothing fits."""
        if word in self.known or stem(word) in self._stems:
            return (word,)
        if not word.isalpha():
            for table in (_LEET, _LEET_L):
                plain = word.translate(table).replace("'", "")
                if plain in self.words or plain in _ALIASES:
                    return tuple(_ALIASES.get(plain, plain).split())
            if sum(c.isdigit() for c in word) * 2 <= len(word):
                mended = self._mend(word.translate(_LEET)) if word.translate(_LEET).isalpha() else (word,)
                return mended if mended != (word.translate(_LEET),) else (word,)
            return (word,)
        for squeezed in _squeezed(word):
            if squeezed in self.words or squeezed in _ALIASES:
                return tuple(_ALIASES.get(squeezed, squeezed).split()) or ("",)
        if 4 <= len(word) <= 24:
            near = self._nearest(word)
            if near:
                return (near,)
        if len(word) >= 7:
            parts = self._split(word)
            if parts:
                return parts
        return (word,)

    def _nearest(self, word: str) -> str | None:
        # one edit of a long word always leaves a common deletion; the shortest distance wins, then the commoner word
        most = 1 if len(word) < 7 else 2
        found: set[str] = set()
        for key in _deletions(word, most):
            found.update(self._near.get(key, ()))
        best, best_rank = None, (9, False, 0)
        for target in found:
            if target[0] != word[0] and not (len(word) >= 7 and target[1:] == word[1:]):
                continue
            allowed = 2 if max(len(target), len(word)) >= 8 and min(len(target), len(word)) >= 7 else 1
            distance = _damerau(word, target, allowed)
            rank = (distance, target[0] != word[0], -self._often.get(target, 0))
            if distance <= allowed and rank < best_rank:
                best, best_rank = target, rank
        return best

    def _split(self, word: str) -> tuple[str, ...]:
        if not len(self._parts):
            return ()
        parts, covered, content = [], 0, False
        for _, part in self._parts.iter_long(word):
            parts.append(part)
            covered += len(part)
            content = content or (len(part) >= 4 and part in self.words)
        if content and len(parts) > 1 and covered >= len(word) - 1:
            out: list[str] = []
            for part in parts:
                out.extend(_ALIASES.get(part, part).split())
            return tuple(out)
        return ()


def _squeezed(word: str) -> list[str]:
    if not re.search(r"(.)\1", word):
        return []
    two = re.sub(r"(.)\1{2,}", r"\1\1", word)
    one = re.sub(r"(.)\1{2,}", r"\1", word)
    return [two, one, re.sub(r"(.)\1+", r"\1", word)] if two != word else []


def _deletions(word: str, most: int) -> set[str]:
    out = {word}
    level = {word}
    for _ in range(most):
        level = {w[:i] + w[i + 1 :] for w in level for i in range(len(w))}
        out |= level
    return out


def _damerau(a: str, b: str, most: int) -> int:
    if abs(len(a) - len(b)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        new = [i]
        for j, y in enumerate(b, 1):
            cost = min(row[j] + 1, new[j - 1] + 1, row[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            new.append(cost)
        before, row = row, new
    return row[-1]


def tokenise(text: str, speller: Speller | None = None, normal: Normal | None = None) -> list[Token]:
    """Tokens of the text in order. Spans are of the text given, whatever was folded or mended."""
    normal = normal or normalise(text)
    plain, offsets = normal.text, normal.offsets
    tokens: list[Token] = []
    spelled: list[tuple[str, int, int]] = []
    for match in _TOKEN.finditer(plain):
        word = match.group()
        start, end = match.span()
        if len(word) == 1 and word.isalpha():
            if not spelled or start - spelled[-1][2] == 1:
                spelled.append((word, start, end))
                continue
            _flush(spelled, tokens, speller, normal)
            spelled = [(word, start, end)]
            continue
        if spelled:
            _flush(spelled, tokens, speller, normal)
            spelled = []
        _add(word, start, end, tokens, speller, normal if offsets is not None else None)
    if spelled:
        _flush(spelled, tokens, speller, normal)
    return tokens


def _flush(spelled: list[tuple[str, int, int]], tokens: list[Token], speller: Speller | None, normal: Normal) -> None:
    """Single letters in a row: three or more spell a word, fewer are words of their own ("i", "a", "n")."""
    keep = normal if normal.offsets is not None else None
    if len(spelled) >= 3:
        _add("".join(s[0] for s in spelled), spelled[0][1], spelled[-1][2], tokens, speller, keep)
        return
    for word, start, end in spelled:
        _add(word, start, end, tokens, speller, keep)


def _add(
    word: str, start: int, end: int, tokens: list[Token], speller: Speller | None, normal: Normal | None
) -> None:
    if normal is not None:
        start, end = normal.span(start, end)
    first = word[0]
    if first.isdigit() and first.isascii():
        tokens.append(Token(word, word, start, end, NUMBER, _value(word), word))
        return
    if not (first.isalpha() or first in "@$") and first.isascii():
        kind = SENTENCE if first in ".!?\n" else COMMA if first == "," else CLAUSE
        if first in "/%+&<>=#*":
            kind = WORD
            word = "and" if first in "+&" else word
        tokens.append(Token(word, word, start, end, kind, None, word))
        return
    raw = word
    if "'" in word:
        word = word.strip("'")
        if word.endswith("'s") and len(word) > 2:
            head = word[:-2]
            word = head + "s" if head in ("he", "she", "it", "that", "what", "who", "there", "where", "how") else head
        word = word.replace("'", "")
        if not word:
            return
    alias = _ALIASES.get(word)
    if alias is not None:
        parts: tuple[str, ...] = tuple(alias.split())
    elif speller is not None and word not in speller.known:
        parts = speller.mend(word) if len(word) <= 64 else (speller._split(word) or (word,))
    else:
        parts = (word,)
    fixed = parts != (raw,)
    for part in parts:
        last = tokens[-1] if tokens else None
        if last is not None and last.kind == WORD:
            if part == "not" and last.text in _NOT:
                last.text = last.stem = _NOT[last.text]
                last.end = end
                continue
            if part == "t" and last.text in _T_SPLIT:
                last.text = last.stem = _T_SPLIT[last.text]
                last.end = end
                continue
        tokens.append(Token(part, stem(part), start, end, WORD, _NUMBER_WORDS.get(part), raw, fixed))


def _value(word: str) -> float | None:
    if ":" in word or len(word) > 12:
        return None
    if "," in word:
        head, _, tail = word.partition(",")
        word = f"{head}.{tail}" if len(tail) in (1, 2) and "," not in tail else word.replace(",", "")
    try:
        return float(word)
    except ValueError:
        return None
