"""The course of one symptom check: what is known so far, which question is open, and what an answer changes.

Pure but for the triage service: no database and no tracker. The state is a JSON object (see `opened`), kept in the
check's row; so an interrupted check goes on in another session, on another server, or after a restart.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field, replace
from typing import Any

from actions import person, triage_client
from actions.dialogue import Said
from careline.levels import LEVEL_OF_URGENCY, Level

MAX_QUESTIONS = 12
KEPT_TEXTS = 6
RANK = {"unknown": 0, "absent": 1, "present": 2}

_YES = re.compile(
    r"^\W*(?:yes+|yeah|yep|yup|yea|ye|yh|y|sure|definitely|correct|i do|i am|i have|it does|it is|a bit|a little)\b"
)
_NO = re.compile(
    r"^\W*(?:no+|nope|nah|na|n|never|none|neither|not really|not at all|i dont|i havent|im not|it doesnt)\b"
)
_UNSURE = re.compile(r"\b(?:dont know|not sure|unsure|no idea|idk|dunno|cant tell|maybe|perhaps|cant remember)\b")
_ALL = re.compile(r"\b(?:both|all of (?:them|these|those)|all|everything|every one)\b")
_NUMBERS = re.compile(r"\b\d{1,2}\b")
# Words of a bare reply: nothing in "no, I don't think so" needs reading for symptoms.
_BARE = frozenset(
    re.findall(
        r"\w+",
        "yes yeah yep yup yea ye yh y no nope nah na n not really never none neither of these those them sure "
        "definitely correct i do dont am im is isnt it its have havent he she they does doesnt has hasnt are "
        "arent a bit little think so please thanks maybe perhaps know idk dunno idea unsure cant tell say "
        "that right ok okay all at",
    )
)
_REPLIES = {"affirm": "present", "deny": "absent", "dont_know": "unknown", "skip": "unknown"}


@dataclass
class Turn:
    """What one message did, for the sentences that follow: response names with their fields, and noted facts."""

    say: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    noted: list[tuple[str, str]] = field(default_factory=list)
    changed: list[tuple[str, str]] = field(default_factory=list)
    lost: bool = False

    def tell(self, response: str, **fields: Any) -> None:
        self.say.append((response, fields))


def opened(earlier: dict[str, Any] | None = None, *, findings: bool = False) -> dict[str, Any]:
    """The state of a new check. Of an earlier one it takes over who it was about and, if asked, what was found."""
    state: dict[str, Any] = {
        "subject": None, "age": None, "sex": None, "pregnant": None, "gestation_weeks": None, "postpartum_days": None,
        "no_age": False, "no_sex": False, "evidence": {}, "flags": {}, "asked": [], "count": 0, "question": None,
        "steps": [], "texts": [], "unread": [], "misses": 0, "seen": None,
        "opened": False, "greeted": False, "finished": False,
        "compare": False,
    }  # fmt: skip
    for name in ("subject", "age", "sex", "pregnant", "gestation_weeks", "postpartum_days", "no_sex"):
        if earlier and earlier.get(name) is not None:
            state[name] = earlier[name]
    if earlier and findings:
        state["evidence"], state["flags"] = dict(earlier.get("evidence") or {}), dict(earlier.get("flags") or {})
        state["asked"], state["opened"] = list(earlier.get("asked") or []), True
    return state


def about(state: dict[str, Any]) -> dict[str, Any]:
    """The person as the service wants it, without what is not known."""
    names = ("age", "sex", "pregnant", "gestation_weeks")
    return {name: state[name] for name in names if state.get(name) is not None}


async def catch_up(state: dict[str, Any], said: Said, *, this_year: int) -> Turn:
    """Read what came while the service was down. Unavailable when it still is (nothing is changed)."""
    unread = state["unread"]
    state["unread"] = []
    try:
        return await take(state, replace(said, text=". ".join(unread), intent="report_symptom"), this_year=this_year)
    except Exception:
        state["unread"] = unread
        raise


async def take(state: dict[str, Any], said: Said, *, this_year: int) -> Turn:
    """Let one message change the state. Unavailable when the triage service does not answer (nothing is changed)."""
    turn = Turn()
    question = state["question"]
    if said.entities.get("finding") in _items(question) or said.entities.get("option"):
        _step(state)
        _chosen(state, turn, said.entities)
    elif said.is_choice:
        state["misses"] = 0
        if said.intent in ("ask_why", "ask_meaning", "repeat", "go_back", "skip", "dont_know"):
            _about_the_question(state, turn, said.intent)
    elif question and said.intent in ("ask_why", "ask_meaning", "repeat", "go_back"):
        _about_the_question(state, turn, said.intent)
    else:
        before = copy.deepcopy(state)
        try:
            await _words(state, turn, said, this_year)
        except Exception:
            state.clear()
            state.update(before)
            raise
    return turn


def _items(question: dict[str, Any] | None) -> list[str]:
    return [item["id"] for item in (question or {}).get("items") or []]


def _about_the_question(state: dict[str, Any], turn: Turn, intent: str) -> None:
    question = state["question"]
    if question is None:
        return
    if intent == "go_back":
        _undo(state, turn)
    elif intent in ("skip", "dont_know"):
        _step(state)
        _unanswered(state, turn)
    elif intent == "ask_why":
        if question["kind"] != "finding":
            turn.tell(f"utter_why_{question['kind']}")
        elif question.get("rationale"):
            turn.tell("utter_why_question", rationale=question["rationale"])
        else:
            turn.tell("utter_why_question_default")
    elif intent == "ask_meaning":
        if question["kind"] != "finding":
            turn.tell(f"utter_why_{question['kind']}")
        elif question.get("help"):
            turn.tell("utter_help_question", help=question["help"])
        else:
            turn.tell("utter_help_question_default")


def _step(state: dict[str, Any]) -> None:
    """Remember the state before an answer, without the steps themselves, so that it can be taken back."""
    kept = {name: copy.deepcopy(value) for name, value in state.items() if name not in ("steps", "seen", "texts")}
    state["steps"] = [*state["steps"], kept][-MAX_QUESTIONS:]


def _undo(state: dict[str, Any], turn: Turn) -> None:
    if not state["steps"]:
        turn.tell("utter_cannot_go_back")
        return
    *steps, last = state["steps"]
    flags = state["flags"]
    state.update(copy.deepcopy(last))
    # A red flag that was mentioned once stays: taking back an answer must not make the advice less urgent.
    state["flags"] = {**state["flags"], **flags}
    state["steps"] = steps
    turn.tell("utter_went_back")


def _chosen(state: dict[str, Any], turn: Turn, entities: dict[str, Any]) -> None:
    """A button: of a finding's question, or of "who" and "sex"."""
    question = state["question"] or {}
    option = entities.get("option")
    if "finding" in entities:
        _answer(state, str(entities["finding"]), str(entities.get("choice")))
    elif option in ("self", "other") and question.get("kind") == "who":
        state["subject"] = option
    elif option in ("female", "male", "unknown") and question.get("kind") == "sex":
        state["sex"], state["no_sex"] = (None, True) if option == "unknown" else (option, False)
    elif option == "none" and question.get("kind") == "finding":
        for ident in _items(question):
            _answer(state, ident, "absent")
    else:
        turn.lost = False  # a button of a question that is closed: the open one is asked again
        return
    state["question"], state["misses"] = None, 0


def _answer(state: dict[str, Any], ident: str, choice: str) -> None:
    if choice not in RANK:
        choice = "unknown"
    state["evidence"][ident] = {"choice_id": choice, "source": "asked"}
    if ident not in state["asked"]:
        state["asked"].append(ident)


def _unanswered(state: dict[str, Any], turn: Turn) -> None:
    """ "I don't know" and "skip"."""
    kind = state["question"]["kind"]
    if kind == "age":
        state["no_age"] = True
    elif kind == "sex":
        state["no_sex"] = True
    elif kind == "finding":
        for ident in _items(state["question"]):
            _answer(state, ident, "unknown")
    elif kind == "change":
        pass
    else:
        _miss(state, turn, "utter_no_symptom_found" if kind == "complaint" else "utter_not_an_answer")
        return
    state["question"], state["misses"] = None, 0


async def _words(state: dict[str, Any], turn: Turn, said: Said, this_year: int) -> None:
    question = state["question"]
    plain = re.sub(r"[’']", "", said.text.lower())
    kind = (question or {}).get("kind")
    parsed: dict[str, Any] = {"mentions": [], "red_flags": [], "person": {}}
    if kind != "finding" or not set(re.findall(r"[a-z]+", plain)) <= _BARE or _NUMBERS.search(plain):
        # What came while the service was down is read together with this.
        words = ". ".join([*state["unread"], said.text])[-4000:]
        parsed = await triage_client.parse(words, about(state), state["texts"][-KEPT_TEXTS:])
        state["unread"] = []
    state["texts"] = [*state["texts"], said.text[:500]][-KEPT_TEXTS:]
    _step(state)

    told = _take_person(state, parsed["person"], said, plain, kind, this_year)
    facts = _take_findings(state, turn, parsed)
    answered = False
    if kind == "finding":
        answered = _answered(state, question, said, plain, facts)
    elif kind in ("who", "age", "sex"):
        answered = kind in told
        if not answered and (said.intent in ("dont_know", "skip") or _UNSURE.search(plain)) and kind != "who":
            _unanswered(state, turn)
            answered = True
    elif kind == "change":
        answered = True  # "nothing new, just worse" is an answer too
    elif kind == "complaint" or kind is None:
        answered = bool(facts) or bool(state["flags"]) or (kind is None and bool(told))

    if answered:
        state["question"], state["misses"] = None, 0
    elif facts or told:
        state["misses"] = 0  # something else was said and taken; the question stays open
    elif kind is not None:
        missed = {"age": "utter_age_not_understood", "complaint": "utter_no_symptom_found"}
        _miss(state, turn, missed.get(kind, "utter_not_an_answer"))
    if not (answered or facts or told):
        state["steps"] = state["steps"][:-1]


def _miss(state: dict[str, Any], turn: Turn, response: str) -> None:
    state["misses"] += 1
    turn.lost = True
    turn.tell(response if state["misses"] < 2 else "utter_still_lost")


def _take_person(
    state: dict[str, Any], parsed: dict[str, Any], said: Said, plain: str, kind: str | None, this_year: int
) -> set[str]:
    """Who, age and sex as far as they were said: the names of what is now known."""
    told: set[str] = set()
    who = person.subject(said.text)
    opening = kind in (None, "complaint", "who") or said.intent in ("for_someone_else", "correct_answer")
    if who and opening and (state["subject"] is None or (who == "other" and said.intent == "for_someone_else")):
        if state["subject"] not in (None, who):
            state.update(age=None, sex=None, no_age=False, no_sex=False)
        state["subject"] = who
        told.add("who")
    asked = kind == "age" or (kind is None and said.intent == "give_details")
    age = person.age(said.text, this_year=this_year) if asked else None
    if age is None and parsed.get("age") is not None and parsed["age"] != state["age"]:
        age = parsed["age"]
    if age is not None:
        state["age"], state["no_age"] = age, False
        told.add("age")
    sex = parsed.get("sex") if parsed.get("sex") != state["sex"] else None
    if sex is None and (kind in ("sex", "age") or (state["sex"] is None and state["subject"] == "other")):
        sex = person.sex(said.text)
    if sex is not None:
        state["sex"], state["no_sex"] = sex, False
        told.add("sex")
    for name in ("pregnant", "gestation_weeks", "postpartum_days"):
        if parsed.get(name) is not None and parsed[name] != state.get(name):
            state[name] = parsed[name]
            told.add(name)
    return told


def _take_findings(state: dict[str, Any], turn: Turn, parsed: dict[str, Any]) -> dict[str, str]:
    """Every finding and red flag that was said of this person: id -> choice."""
    facts: dict[str, str] = {}
    for mention in parsed["mentions"]:
        if mention["subject"] == "other" and state["subject"] == "self":
            continue  # somebody in the family
        ident, choice = mention["id"], mention["choice_id"]
        if ident in facts and RANK[facts[ident]] >= RANK[choice]:
            continue
        facts[ident] = choice
        before = (state["evidence"].get(ident) or {}).get("choice_id")
        item = {"choice_id": choice, "source": "initial"}
        for name in ("onset_hours", "severity", "value"):
            if mention.get(name) is not None:
                item[name] = mention[name]
        state["evidence"][ident] = item
        if before is None:
            turn.noted.append((ident, choice))
        elif before != choice:
            turn.changed.append((ident, choice))
    for flag in parsed["red_flags"]:
        state["flags"][flag["id"]] = {"urgency": flag["urgency"], "name": flag["name"][:200]}
    return facts


def _answered(state: dict[str, Any], question: dict[str, Any], said: Said, plain: str, facts: dict[str, str]) -> bool:
    """Whether the words answer the open question about findings; if so, the answer is taken."""
    items = _items(question)
    named = [ident for ident in items if ident in facts]
    if len(items) == 1 and named:
        state["asked"].extend(i for i in items if i not in state["asked"])
        return True
    choice = _REPLIES.get(said.intent)
    if choice is None:
        for pattern, meaning in ((_UNSURE, "unknown"), (_NO, "absent"), (_YES, "present")):
            if pattern.search(plain):
                choice = meaning
                break
    if len(items) == 1:
        if choice is None:
            return False
        _answer(state, items[0], choice)
        return True
    picked = set(named)
    picked |= {items[int(n) - 1] for n in _NUMBERS.findall(plain) if 1 <= int(n) <= len(items)}
    if _ALL.search(plain):
        picked = set(items)
    if not picked and choice is None:
        return False
    for ident in items:
        if ident in facts:
            state["asked"].extend([ident] if ident not in state["asked"] else [])
        else:
            _answer(state, ident, "present" if ident in picked else (choice if not picked and choice else "absent"))
    return True


async def next_question(state: dict[str, Any]) -> dict[str, Any] | None:
    """The question to ask now; None when there is none left, and then `state["outcome"]` is the service's answer.

    An emergency ends the questions at once, even before age and sex are known. Unavailable when the service is down.
    """
    if state["finished"]:
        return None
    if state["question"]:
        return state["question"]
    present = any(item["choice_id"] == "present" for item in state["evidence"].values()) or bool(state["flags"])
    if not present or state["compare"]:
        state["question"] = {"kind": "change" if state["compare"] else "complaint"}
        state["compare"] = False
        return state["question"]
    outcome = await triage_client.diagnosis(_case(state), _interview(state))
    urgencies = {flag["urgency"] for flag in state["flags"].values()}
    flagged = any(LEVEL_OF_URGENCY.get(urgency, Level.SELF_CARE).is_emergency for urgency in urgencies)
    floor = (outcome["triage"].get("floor") or {}).get("level")
    if flagged or (floor and Level(floor).is_emergency):
        return _finish(state, outcome)
    if state["subject"] is None:
        state["question"] = {"kind": "who"}
    elif state["age"] is None and not state["no_age"]:
        state["question"] = {"kind": "age"}
    elif state["sex"] is None and not state["no_sex"]:
        state["question"] = {"kind": "sex"}
    elif outcome["should_stop"] or not outcome.get("question"):
        return _finish(state, outcome)
    else:
        asked = outcome["question"]
        state["question"] = {
            "kind": "finding", "text": asked["text"], "help": asked.get("help"), "rationale": asked.get("rationale"),
            "type": asked["type"], "items": asked["items"],
        }  # fmt: skip
        state["count"] += 1
    return state["question"]


def _finish(state: dict[str, Any], outcome: dict[str, Any]) -> None:
    state["finished"], state["question"] = True, None
    state["outcome"] = outcome
    return None


def _case(state: dict[str, Any]) -> dict[str, Any]:
    case: dict[str, Any] = about(state)
    if state.get("postpartum_days") is not None:
        case["postpartum_days"] = state["postpartum_days"]
    case["evidence"] = [{"id": ident, **item} for ident, item in state["evidence"].items()]
    case["red_flags"] = [{"id": ident, **flag} for ident, flag in state["flags"].items()]
    return case


def _interview(state: dict[str, Any]) -> dict[str, Any]:
    return {
        "subject": state["subject"] or "self",
        "asked": state["asked"],
        "max_questions": MAX_QUESTIONS,
        "questions_asked": state["count"],
    }
