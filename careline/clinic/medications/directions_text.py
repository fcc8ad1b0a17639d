# ruff: noqa: E501 - the patterns of a grammar read better whole
"""Directions as typed -> one plain lower-case line that the grammar reads: symbols, number words, other languages."""

from __future__ import annotations

import re
import unicodedata

_FRACTIONS = {"½": "0.5", "¼": "0.25", "¾": "0.75", "⅓": "0.33", "⅔": "0.67"}
_SYMBOLS = str.maketrans({
    "µ": "u", "μ": "u", "×": "x", "–": "-", "—": "-", "‑": "-", "−": "-", "’": "'", "‘": "'", "“": '"', "”": '"',
    "…": " ", "@": " at ", "&": " and ", "*": " x ", "\u00a0": " ", "→": " then ", "•": " , ", "\n": " , ",
    "【": " ", "】": " ", "_": " ",
})
_NUMBERS = {
    word: str(n)
    for n, word in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"]
    )
} | {"thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "dozen": "12"}
_ORDINALS = {"first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th"}

# Phrases of other languages, longest first; a direction in a language is read only when every word is known.
_OTHER = {
    # Spanish
    r"una vez al d[ií]a|una vez por d[ií]a|una al d[ií]a": "once a day",
    r"dos veces (?:al|por) d[ií]a": "twice a day",
    r"tres veces (?:al|por) d[ií]a": "3 times a day",
    r"cuatro veces (?:al|por) d[ií]a": "4 times a day",
    r"(\d+) veces (?:al|por) d[ií]a": r"\1 times a day",
    r"una vez (?:a la|por) semana": "once a week",
    r"cada d[ií]a|todos los d[ií]as|diario|diariamente|a diario": "daily",
    r"cada noche|todas las noches|por la noche|de noche|en la noche": "at night",
    r"cada ma[nñ]ana|todas las ma[nñ]anas|por la ma[nñ]ana|en la ma[nñ]ana|de la ma[nñ]ana": "in the morning",
    r"por la tarde|en la tarde": "in the afternoon",
    r"al acostarse|antes de acostarse|antes de dormir|al dormir": "at bedtime",
    r"con (?:el )?desayuno|en el desayuno": "with breakfast",
    r"con (?:la )?cena|en la cena": "with dinner",
    r"con (?:el )?almuerzo": "with lunch",
    r"con (?:las )?comidas?|con (?:los )?alimentos": "with food",
    r"antes de (?:las )?comidas|antes de comer": "before meals",
    r"despu[eé]s de (?:las )?comidas|despu[eé]s de comer": "after meals",
    r"en ayunas": "on an empty stomach",
    r"d[ií]as alternos|un d[ií]a s[ií] y otro no|cada dos d[ií]as|cada 2 d[ií]as": "every other day",
    r"cada (\w+) horas?": r"every \1 hours",
    r"cada (\w+) d[ií]as?": r"every \1 days",
    r"(?:por|durante) (\w+) d[ií]as?": r"for \1 days",
    r"(?:por|durante) (\w+) semanas?": r"for \1 weeks",
    r"(?:por|durante) (\w+) meses": r"for \1 months",
    r"si es necesario|si (?:lo )?necesita|seg[uú]n (?:sea )?(?:la )?necesidad|cuando sea necesario|"
    r"en caso necesario|si hay dolor|para el dolor": "as needed",
    r"(?:en )?(?:cada|ambos) ojos?": "in each eye",
    r"(?:en )?el ojo derecho": "in the right eye", r"(?:en )?el ojo izquierdo": "in the left eye",
    r"pastillas?|comprimidos?|tabletas?": "tablet",
    r"c[aá]psulas?": "capsule",
    r"gotas?": "drops",
    r"cucharaditas?": "teaspoon",
    r"inhalaciones|inhalaci[oó]n": "puffs",
    r"tomar|tome|tomo": "take",
    r"por boca|por v[ií]a oral|v[ií]a oral": "by mouth",
    r"lunes": "monday", r"martes": "tuesday", r"mi[eé]rcoles": "wednesday", r"jueves": "thursday",
    r"viernes": "friday", r"s[aá]bados?": "saturday", r"domingos?": "sunday",
    r"media": "0.5", r"una|uno": "1", r"dos": "2", r"tres": "3", r"cuatro": "4", r"cinco": "5", r"seis": "6",
    r"siete": "7", r"ocho": "8", r"diez": "10", r"doce": "12",
    # French
    r"une fois par jour|1 fois par jour": "once a day",
    r"deux fois par jour": "twice a day",
    r"trois fois par jour": "3 times a day",
    r"quatre fois par jour": "4 times a day",
    r"(\d+) fois par jour": r"\1 times a day",
    r"une fois par semaine": "once a week",
    r"matin,? midi et soir": "in the morning, at noon and in the evening",
    r"matin et soir": "in the morning and in the evening",
    r"le matin|tous les matins|chaque matin": "in the morning",
    r"le soir|tous les soirs|chaque soir": "in the evening",
    r"au coucher|avant de dormir": "at bedtime",
    r"tous les jours|chaque jour|par jour": "daily",
    r"un jour sur deux|tous les deux jours": "every other day",
    r"toutes les (\w+) heures": r"every \1 hours",
    r"pendant (\w+) jours": r"for \1 days",
    r"pendant (\w+) semaines": r"for \1 weeks",
    r"avec (?:les|le|un) repas|avec de la nourriture": "with food",
    r"avant (?:les|chaque) repas": "before meals",
    r"apr[eè]s (?:les|chaque) repas": "after meals",
    r"si besoin|si n[eé]cessaire|au besoin|en cas de douleur": "as needed",
    r"comprim[eé]s?|cachets?": "tablet",
    r"g[eé]lules?": "capsule",
    r"gouttes?": "drops",
    r"prendre|prenez": "take",
    r"deux": "2", r"trois": "3", r"quatre": "4", r"cinq": "5", r"sept": "7", r"huit": "8", r"dix": "10", r"un|une": "1",
    # Portuguese
    r"uma vez (?:ao|por) dia": "once a day",
    r"duas vezes (?:ao|por) dia": "twice a day",
    r"tr[eê]s vezes (?:ao|por) dia": "3 times a day",
    r"quatro vezes (?:ao|por) dia": "4 times a day",
    r"de (\w+) em (\w+) horas": r"every \2 hours",
    r"a cada (\w+) horas": r"every \1 hours",
    r"por (\w+) dias|durante (\w+) dias": r"for \1\2 days",
    r"de manh[aã]|pela manh[aã]": "in the morning",
    r"[aà] noite": "at night",
    r"ao deitar": "at bedtime",
    r"com (?:a )?comida|com as refei[cç][oõ]es|com alimentos": "with food",
    r"se necess[aá]rio": "as needed",
    r"dias alternados|dia sim,? dia n[aã]o": "every other day",
    r"comprimidos?": "tablet",
    r"todos os dias": "daily",
    r"uma|um": "1", r"duas|dois": "2",
    # German
    r"einmal t[aä]glich|1x t[aä]glich|1 x t[aä]glich|einmal am tag": "once a day",
    r"zweimal t[aä]glich|2x t[aä]glich|zweimal am tag": "twice a day",
    r"dreimal t[aä]glich|3x t[aä]glich|dreimal am tag": "3 times a day",
    r"viermal t[aä]glich|4x t[aä]glich": "4 times a day",
    r"(\d+) ?x t[aä]glich|(\d+) mal t[aä]glich": r"\1\2 times a day",
    r"einmal (?:die woche|w[oö]chentlich|pro woche)": "once a week",
    r"t[aä]glich|jeden tag": "daily",
    r"morgens und abends": "in the morning and in the evening",
    r"morgens|jeden morgen|am morgen": "in the morning",
    r"mittags": "at noon",
    r"abends|jeden abend|am abend": "in the evening",
    r"zur nacht|nachts|vor dem schlafengehen": "at bedtime",
    r"alle (\w+) stunden": r"every \1 hours",
    r"alle (\w+) tage": r"every \1 days",
    r"jeden zweiten tag": "every other day",
    r"(\w+) tage lang|f[uü]r (\w+) tage": r"for \1\2 days",
    r"bei bedarf": "as needed",
    r"zu den mahlzeiten|mit dem essen|zum essen": "with food",
    r"vor den mahlzeiten|vor dem essen": "before meals",
    r"nach den mahlzeiten|nach dem essen": "after meals",
    r"tabletten?|tbl": "tablet", r"kapseln?": "capsule", r"tropfen": "drops",
    r"eine?n?": "1", r"zwei": "2", r"drei": "3",
    # Italian
    r"una volta al giorno": "once a day",
    r"due volte al giorno": "twice a day",
    r"tre volte al giorno": "3 times a day",
    r"ogni (\w+) ore": r"every \1 hours",
    r"per (\w+) giorni": r"for \1 days",
    r"al bisogno": "as needed",
    r"compress[ae]": "tablet",
    # Polish
    r"raz dziennie|jeden raz dziennie": "once a day",
    r"dwa razy dziennie|2 razy dziennie": "twice a day",
    r"trzy razy dziennie|3 razy dziennie": "3 times a day",
    r"cztery razy dziennie": "4 times a day",
    r"co (\d+) godzin[y]?|co (osiem|sze[sś][cć]|dwana[sś]cie) godzin": r"every \1\2 hours",
    r"przez (\d+) dni": r"for \1 days",
    r"rano i wieczorem": "in the morning and in the evening",
    r"rano": "in the morning", r"wieczorem": "in the evening", r"na noc": "at night",
    r"tabletk[aięe]|tabletek": "tablet",
    r"jedn[aąeę]": "1", r"dwie": "2",
    r"w razie potrzeby": "as needed",
    r"po jedzeniu|po posi[lł]ku": "after food",
    r"z jedzeniem|podczas posi[lł]ku": "with food",
}
_OTHER_PATTERNS = [(re.compile(rf"(?<!\w)(?:{pattern})(?!\w)"), out) for pattern, out in _OTHER.items()]
# A single short foreign number word ("un", "dos") must not turn English text into something else.
_FOREIGN = re.compile(
    r"\b(al d[ií]a|veces|cada|por la|pastillas?|comprimidos?|tomar|tome|durante|d[ií]as?|fois|jours?|prendre|"
    r"comprim[eé]s?|toutes|matin|soir|repas|vez(?:es)?|ao dia|horas|refei[cç][oõ]es|t[aä]glich|stunden|tage|"
    r"morgens|abends|tabletten?|bedarf|volte|giorn[oi]|ogni|compress[ae]|dziennie|godzin\w*|tabletk\w*|rano|"
    r"comida|noche|ma[nñ]ana|si besoin|al acostarse|necess[aá]rio|coucher|wieczorem|na noc|potrzeby)\b"
)


def translate(line: str) -> tuple[str, bool]:
    """Known phrases of es, fr, pt, de, it, pl in English, and whether any was there."""
    if not _FOREIGN.search(line):
        return line, False
    for pattern, out in _OTHER_PATTERNS:
        line = pattern.sub(lambda m, out=out: " " + m.expand(out) + " ", line)
    return line, True


def normalise(text: str) -> str:
    """One lower-case line: emoji gone, fractions and number words as digits, units set apart, dots of 'b.d.' gone."""
    for sign, digits in _FRACTIONS.items():
        text = re.sub(rf"(\d)\s*{sign}", lambda m, d=digits: f"{float(m.group(1)) + float(d):g}", text)
        text = text.replace(sign, digits)
    text = unicodedata.normalize("NFKC", text.translate(_SYMBOLS)).translate(_SYMBOLS).casefold()
    text = re.sub(r"[\ufe00-\ufe0f\u200b-\u200f\u2060]", "", text)
    # Emoji, controls and joiners carry no direction; letters with accents stay for the other languages.
    text = "".join(" " if unicodedata.category(c) in ("So", "Sk", "Cc", "Cf", "Cs", "Co", "Cn", "Me") else c for c in text)
    line, _ = translate(re.sub(r"\s+", " ", text).strip())
    line = re.sub(r"\b(?:[a-z]\.){2,4}(?:[a-z]\b)?", lambda m: m.group().replace(".", ""), line)
    line = re.sub(r"\b([a-z])\.([a-z])\b", r"\1\2", line)
    line = re.sub(r"(\d),(\d{3})(?!\d)", r"\1\2", line)
    line = re.sub(r"(\d),(\d{1,2})(?=\s*(?:mg|ml|g|ug|mcg|tab|cap)\b)", r"\1.\2", line)
    line = re.sub(r"(?<![\d.])\.(\d)", r"0.\1", line)
    line = _number_words(line)
    # "10mg" -> "10 mg", "x5d" -> "x 5 d", "8am" -> "8 am"; "2x" stays "2 x".
    line = re.sub(r"(\d)([a-z])", r"\1 \2", line)
    line = re.sub(r"(?<=[a-z])(?<!\bq)(\d)", r" \1", line)
    line = re.sub(r"(\d) (st|nd|rd|th)\b", r"\1\2", line)
    return re.sub(r"\s+", " ", line).strip(" .")


def _number_words(line: str) -> str:
    line = re.sub(r"\b(twenty|thirty|forty|fifty)[- ](one|two|three|four|five|six|seven|eight|nine)\b",
                  lambda m: str(int(_NUMBERS[m[1]]) + int(_NUMBERS[m[2]])), line)
    line = re.sub(rf"\b({'|'.join(_NUMBERS)})\b", lambda m: _NUMBERS[m[1]], line)
    line = re.sub(rf"\b(?:{'|'.join(_ORDINALS)})(?= (?:of|day|week|mon|tue|wed|thu|fri|sat|sun))",
                  lambda m: _ORDINALS[m[0]], line)
    line = re.sub(r"\bhalf (?:an|1) hour\b", "30 minutes", line)
    line = re.sub(r"\b(\d+) and (?:a|1) half\b", r"\1.5", line)
    line = re.sub(r"\b(\d+) 1/2\b", r"\1.5", line)
    line = re.sub(r"\b(?:1/2|half)(?: of)?(?: (?:a|an|1))?(?= ?(?:tab|pill|sachet|capsule|patch|caplet))", "0.5", line)
    line = re.sub(r"\b(?:a |1 )?quarter(?: of)?(?: (?:a|an|1))?(?= ?(?:tab|pill))", "0.25", line)
    line = re.sub(r"\b1/2\b", "0.5", line)
    line = re.sub(r"\b1/4\b", "0.25", line)
    return line
