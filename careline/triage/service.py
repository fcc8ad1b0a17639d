"""The triage service: the engine over HTTP. Stateless; it is told no name, phone number or date of birth."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest

from careline.language.person import Person
from careline.levels import Level
from careline.triage import explain, interview
from careline.triage.case import Case, Evidence, Flag, Patient
from careline.triage.engine import engine
from careline.triage.limits import BodyLimit
from careline.triage.shapes import (
    About,
    ConditionOut,
    DiagnosisOut,
    DiagnosisRequest,
    ExplainOut,
    ExplainRequest,
    FindingOut,
    Health,
    Info,
    ParseOut,
    ParseRequest,
    TriageOut,
    TriageRequest,
)

MAX_BODY = 64 * 1024

registry = CollectorRegistry()
LEVELS_GIVEN = Counter("careline_triage_levels", "Triage answers by level", ["level"], registry=registry)
SECONDS = Histogram(
    "careline_triage_seconds",
    "Time to answer, by endpoint",
    ["endpoint"],
    registry=registry,
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1),
)

app = FastAPI(
    title="Careline triage",
    version="1.0.0",
    summary="Findings in; belief, urgency, the next question and exact reasons out.",
    description="Not a diagnosis. Unknown is never taken as a no, and no belief lowers the floor of the rules.",
)
app.add_middleware(BodyLimit, most=MAX_BODY)

_ERRORS: dict[int | str, dict[str, Any]] = {
    413: {"description": "The body is larger than 64 kB"},
    422: {"description": "A field is wrong; `detail` names it"},
}


class UnknownId(Exception):
    """A finding or condition that the knowledge base does not have; `where` is the path of the field."""

    def __init__(self, where: tuple[str | int, ...], value: str) -> None:
        super().__init__(value)
        self.where, self.value = where, value


@app.exception_handler(UnknownId)
async def _unknown_id(_: Request, error: UnknownId) -> JSONResponse:
    detail = [
        {"type": "unknown_id", "loc": list(error.where), "msg": "not in the knowledge base", "input": error.value}
    ]
    return JSONResponse({"detail": detail}, status_code=422)


@app.exception_handler(RequestValidationError)
async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
    """Names the field and what is wrong; what was sent is not repeated, it can be a patient's words."""
    detail = [{"type": e["type"], "loc": list(e["loc"]), "msg": e["msg"]} for e in error.errors()]
    broken = any(e["type"] == "json_invalid" for e in detail)
    return JSONResponse({"detail": detail}, status_code=400 if broken else 422)


@app.middleware("http")
async def _measure(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
    start = time.perf_counter()
    response = await call(request)
    route = request.scope.get("route")
    SECONDS.labels(getattr(route, "path", "other")).observe(time.perf_counter() - start)
    return response


def case_of(about: About, conversation: bool) -> Case:
    """The engine's case. UnknownId names the evidence that the knowledge base does not know."""
    known = engine().knowledge.findings
    for position, item in enumerate(about.evidence):
        if item.id not in known:
            raise UnknownId(("body", "evidence", position, "id"), item.id)
    return Case(
        Patient(about.age, about.sex, about.pregnant, about.gestation_weeks, about.postpartum_days),
        tuple(
            Evidence(item.id, item.choice_id, item.source, item.onset_hours, item.severity, item.value)
            for item in about.evidence
        ),
        tuple(Flag(flag.id, flag.urgency, flag.name) for flag in about.red_flags),
        conversation,
        about.duration_hours,
    )


@app.post("/v1/parse", responses={**_ERRORS, 400: {"description": "Not JSON"}})
def parse(request: ParseRequest) -> ParseOut:
    """What a patient's words say: findings with who, when and whether; and the red flags among them."""
    from careline.triage import reading

    return reading.parsed(request)


@app.post("/v1/diagnosis", responses={**_ERRORS, 400: {"description": "Not JSON"}})
def diagnosis(request: DiagnosisRequest) -> DiagnosisOut:
    """One step of an interview: belief, level, and the next question (none when there is nothing to ask)."""
    for position, ident in enumerate(request.interview.asked):
        if ident not in engine().knowledge.findings:
            raise UnknownId(("body", "interview", "asked", position), ident)
    answer = interview.step(engine(), case_of(request, conversation=True), request.interview)
    LEVELS_GIVEN.labels(answer["triage"]["level"]).inc()
    return DiagnosisOut.model_validate(answer)


@app.post("/v1/triage", responses={**_ERRORS, 400: {"description": "Not JSON"}})
def triage(request: TriageRequest) -> TriageOut:
    """How soon this person needs care, with the floor, the costs and the reasons."""
    answer = explain.triage(engine(), engine().assess(case_of(request, request.conversation)))
    LEVELS_GIVEN.labels(answer["level"]).inc()
    return TriageOut.model_validate(answer)


@app.post("/v1/explain", responses={**_ERRORS, 400: {"description": "Not JSON"}})
def explanation(request: ExplainRequest) -> ExplainOut:
    """The exact weights for and against a condition; they add up to its log-probability."""
    if request.target not in engine().network.column:
        raise UnknownId(("body", "target"), request.target)
    assessment = engine().assess(case_of(request, conversation=False))
    return ExplainOut.model_validate(explain.explain(engine(), assessment, request.target))


@app.get("/v1/findings")
def findings() -> list[FindingOut]:
    return [
        FindingOut(**finding.model_dump(include=set(FindingOut.model_fields)) | {"is_a": list(finding.is_a)})
        for finding in engine().knowledge.findings.values()
    ]


@app.get("/v1/conditions")
def conditions() -> list[ConditionOut]:
    return [
        ConditionOut(**condition.model_dump(include=set(ConditionOut.model_fields)))
        for condition in engine().knowledge.conditions.values()
    ]


@app.get("/v1/info")
def info() -> Info:
    base = engine().knowledge
    return Info(
        model_version=engine().version,
        knowledge_version=base.version,
        findings=len(base.findings),
        conditions=len(base.conditions),
        rules=len(base.rules),
        complaints=len(base.complaints),
        levels=list(Level),
    )


@lru_cache(maxsize=1)
def _warm() -> None:
    """Build what is built at first use, so that no patient waits for it. Raises what is wrong; only success is kept."""
    from careline.language.flags import catalogue
    from careline.language.lexicon import lexicon
    from careline.triage import reading

    catalogue(), lexicon()  # reading itself never raises: it would hide that one of them is broken
    case, _ = reading.case_from_text("I have had a cough for two days", Person(), engine().knowledge.findings)
    engine().assess(case)


@app.get("/health/live")
def live() -> Health:
    """The process answers."""
    return Health(status="ok")


@app.get("/health/ready", responses={503: {"description": "The knowledge base cannot be used"}}, response_model=Health)
def ready() -> Health | JSONResponse:
    """The knowledge base is loaded and consistent, and a first sentence has been read and weighed."""
    try:
        _warm()
    except Exception as error:  # whatever is wrong with it, this process must get no traffic
        return JSONResponse({"status": "unavailable", "reason": type(error).__name__}, status_code=503)
    return Health(status="ok")


@app.get("/metrics", include_in_schema=False)
def metrics() -> Response:
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
