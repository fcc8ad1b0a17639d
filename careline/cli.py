"""The `careline` command: run, db, evaluate, staff, audit, bench."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path

from careline.settings import SettingsError

KINDS = {
    "red-flags": "careline.evaluation.red_flags",
    "findings": "careline.evaluation.findings",
    "triage": "careline.evaluation.triage",
    "diagnosis": "careline.evaluation.diagnosis",
    "dosage": "careline.evaluation.dosage",
    "keywords": "careline.evaluation.keywords",
}


def _run(_arguments: argparse.Namespace) -> int:
    from careline.supervisor import run

    return run()


def _db(_arguments: argparse.Namespace) -> int:
    from careline.clinic.db import migrate
    from careline.settings import settings

    known = settings().require()
    migrate(known.database_url)
    print("The database is up to date.")
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    path = Path(arguments.file)
    if not path.is_file():
        print(f"There is no file '{path}'.", file=sys.stderr)
        return 2
    evaluate = importlib.import_module(KINDS[arguments.kind]).evaluate
    more = {"interview": True} if arguments.interview else {}
    try:
        result = evaluate(path, **more)
    except (ValueError, KeyError, TypeError) as error:
        print(f"'{path}' is not a file of {arguments.kind} cases: {error!r}", file=sys.stderr)
        return 2
    if arguments.json:
        json.dump({"metrics": result["metrics"], "cases": result["cases"]}, sys.stdout, ensure_ascii=False)
        print()
        return 0
    print(f"{arguments.kind}: {len(result['cases'])} cases of {path}")
    for name, value in result["metrics"].items():
        low_high = result.get("intervals", {}).get(name)
        shown = f"{value:.3f}" if isinstance(value, float) else value
        print(f"  {name:32} {shown}" + (f"   (95 % CI {low_high[0]:.3f} to {low_high[1]:.3f})" if low_high else ""))
    for group, metrics in result.get("groups", {}).items():
        print(f"  [{group}] " + ", ".join(f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}"
                                          for k, v in metrics.items()))
    return 0


def _staff(arguments: argparse.Namespace) -> int:
    from getpass import getpass

    from careline.clinic.db import session_scope, utcnow
    from careline.clinic.staff.accounts import add_staff
    from careline.errors import CarelineError

    password = arguments.password or getpass("Password for the new account: ")
    try:
        with session_scope() as session:
            add_staff(session, username=arguments.username, name=arguments.name, role=arguments.role,
                      password=password, now=utcnow())
    except CarelineError as error:
        print(f"Not added: {error.code} {error.fields or ''}", file=sys.stderr)
        return 1
    print(f"{arguments.username} can sign in at the desk.")
    return 0


def _audit(_arguments: argparse.Namespace) -> int:
    from careline.clinic import audit
    from careline.clinic.db import read_scope
    from careline.settings import settings

    with read_scope() as session:
        result = audit.verify(session, audit.read_anchor(settings().var / "audit.anchor"))
    print(result)
    return 0 if result.ok else 1


def _bench(_arguments: argparse.Namespace) -> int:
    from careline.evaluation.bench import main as bench

    return bench()


def main() -> None:
    """Parse the command line and run; the exit code is 0 when all went well."""
    parser = argparse.ArgumentParser(prog="careline", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("run", help="start everything and say where to click").set_defaults(do=_run)
    db = commands.add_parser("db", help="the database")
    db.add_argument("what", choices=["upgrade"], help="bring the database to its newest shape")
    db.set_defaults(do=_db)
    evaluate = commands.add_parser("evaluate", help="measure on a case file")
    evaluate.add_argument("kind", choices=sorted(KINDS))
    evaluate.add_argument("file")
    evaluate.add_argument("--json", action="store_true", help="print one JSON object: metrics and cases")
    evaluate.add_argument("--interview", action="store_true", help="diagnosis: ask from the complaint alone")
    evaluate.set_defaults(do=_evaluate)
    staff = commands.add_parser("staff", help="accounts of the desk")
    staff.add_argument("what", choices=["add"])
    staff.add_argument("username")
    staff.add_argument("--name", required=True)
    staff.add_argument("--role", default="clinician", choices=["clinician", "coordinator", "auditor", "admin"])
    staff.add_argument("--password", help="asked for when it is not given")
    staff.set_defaults(do=_staff)
    audit = commands.add_parser("audit", help="the audit log")
    audit.add_argument("what", choices=["verify"])
    audit.set_defaults(do=_audit)
    commands.add_parser("bench", help="measure speed beside peers").set_defaults(do=_bench)
    arguments = parser.parse_args()
    try:
        sys.exit(arguments.do(arguments))
    except SettingsError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
