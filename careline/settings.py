"""Every setting in one place, read from the environment once.

In development (`CARELINE_ENV` unset or `development`) secrets that are missing are generated into
`var/secrets.env`, which git ignores. Outside development nothing is generated and nothing has a default:
`problems()` names what is missing or still looks like a default, and the processes refuse to start.
"""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parent.parent

# name -> how a development value is made
SECRETS = {
    "CARELINE_RASA_SECRET": lambda: secrets.token_urlsafe(32),
    "CARELINE_FIELD_KEYS": lambda: "k1:" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "CARELINE_INDEX_KEY": lambda: secrets.token_urlsafe(32),
    "CARELINE_SMS_AUTH_TOKEN": lambda: secrets.token_hex(16),
    "CARELINE_DEMO_PASSWORD": lambda: "-".join(secrets.token_hex(2) for _ in range(3)),
}
DEVELOPMENT_ONLY = {"CARELINE_DEMO_PASSWORD"}
MINIMUM_SECRET_LENGTH = 16


class SettingsError(Exception):
    """The settings cannot be used; the message says which, and what to do."""


@dataclass(frozen=True)
class Settings:
    """What the processes need to know. See docs/operations.md for each variable."""

    environment: str
    var: Path
    database_url: str
    gateway_host: str
    gateway_port: int
    desk_host: str
    desk_port: int
    triage_url: str
    rasa_url: str
    rasa_secret: str
    field_keys: str
    index_key: str
    public_url: str
    desk_public_url: str
    allowed_origins: tuple[str, ...]
    frame_ancestors: tuple[str, ...]
    clinic_name: str
    clinic_phone: str
    clinic_zone: str
    emergency_number: str
    crisis_line: str
    quick_exit_url: str
    sms_provider: str
    sms_number: str
    sms_account: str
    sms_auth_token: str
    sms_api_url: str
    demo_password: str
    fallback_phone: str
    page_webhook: str
    missing: tuple[str, ...] = field(default=())

    @property
    def development(self) -> bool:
        return self.environment == "development"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.clinic_zone)

    def problems(self) -> list[str]:
        """What stands in the way of starting, in words for the person who installs; empty when all is well."""
        found = [f"{name} is not set (or too short): set it in the environment" for name in self.missing]
        if self.development:
            return found
        if self.sms_provider == "simulated":
            found.append("CARELINE_SMS_PROVIDER=simulated works in development only: set it to twilio")
        for name, url in (("CARELINE_PUBLIC_URL", self.public_url),
                          ("CARELINE_DESK_PUBLIC_URL", self.desk_public_url)):
            if not url.startswith("https://"):
                found.append(f"{name} must be the https:// address that the outside world uses")
        if "*" in self.allowed_origins:
            found.append("CARELINE_ALLOWED_ORIGINS must list the clinic's web addresses, not *")
        if not self.clinic_phone:
            found.append("CARELINE_CLINIC_PHONE is not set: outage texts and the phone fallback need it")
        return found

    def require(self) -> Settings:
        """These settings, or SettingsError with every problem listed."""
        found = self.problems()
        if found:
            raise SettingsError("Careline cannot start:\n- " + "\n- ".join(found))
        return self


def _development_secrets(path: Path) -> dict[str, str]:
    """The secrets of the git-ignored file, with missing ones generated; safe with several processes at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.chmod(path, 0o600)
        file.seek(0)
        known = dict(line.strip().split("=", 1) for line in file if "=" in line)
        for name, make in SECRETS.items():
            if name not in known:
                known[name] = make()
                file.write(f"{name}={known[name]}\n")
    return known


def load(environ: dict[str, str] | None = None) -> Settings:
    """Settings from `environ` (the process environment by default)."""
    env = dict(os.environ if environ is None else environ)
    environment = env.get("CARELINE_ENV", "development")
    if environment not in {"development", "production"}:
        raise SettingsError(f"CARELINE_ENV is '{environment}': use development or production")
    development = environment == "development"
    var = Path(env.get("CARELINE_VAR", ROOT / "var")).resolve()
    generated = _development_secrets(var / "secrets.env") if development else {}
    values: dict[str, str] = {}
    missing = []
    for name in SECRETS:
        values[name] = env.get(name) or generated.get(name, "")
        needed = development or name not in DEVELOPMENT_ONLY
        if needed and len(values[name]) < MINIMUM_SECRET_LENGTH and name not in DEVELOPMENT_ONLY:
            missing.append(name)
    port = int(env.get("CARELINE_GATEWAY_PORT", "8000"))
    desk_port = int(env.get("CARELINE_DESK_PORT", "8001"))
    public_url = env.get("CARELINE_PUBLIC_URL", f"http://127.0.0.1:{port}" if development else "")
    return Settings(
        environment=environment,
        var=var,
        database_url=env.get("DATABASE_URL", f"sqlite:///{var / 'careline.db'}"),
        gateway_host=env.get("CARELINE_GATEWAY_HOST", "127.0.0.1"),
        gateway_port=port,
        desk_host=env.get("CARELINE_DESK_HOST", "127.0.0.1"),
        desk_port=desk_port,
        triage_url=env.get("CARELINE_TRIAGE_URL", "http://127.0.0.1:8010"),
        rasa_url=env.get("CARELINE_RASA_URL", "http://127.0.0.1:5005"),
        rasa_secret=values["CARELINE_RASA_SECRET"],
        field_keys=values["CARELINE_FIELD_KEYS"],
        index_key=values["CARELINE_INDEX_KEY"],
        public_url=public_url.rstrip("/"),
        desk_public_url=env.get(
            "CARELINE_DESK_PUBLIC_URL", f"http://127.0.0.1:{desk_port}" if development else "").rstrip("/"),
        allowed_origins=tuple(o.strip().rstrip("/")
                              for o in env.get("CARELINE_ALLOWED_ORIGINS", public_url).split(",") if o.strip()),
        frame_ancestors=tuple(env.get("CARELINE_FRAME_ANCESTORS", "").split()),
        clinic_name=env.get("CARELINE_CLINIC_NAME", "Riverside Clinic" if development else "the clinic"),
        clinic_phone=env.get("CARELINE_CLINIC_PHONE", "020 7946 0100" if development else ""),
        clinic_zone=env.get("CARELINE_CLINIC_ZONE", "Europe/London"),
        emergency_number=env.get("CARELINE_EMERGENCY_NUMBER", "999"),
        crisis_line=env.get("CARELINE_CRISIS_LINE", "Samaritans on 116 123"),
        quick_exit_url=env.get("CARELINE_QUICK_EXIT_URL", "https://www.bbc.co.uk/weather"),
        sms_provider=env.get("CARELINE_SMS_PROVIDER", "simulated" if development else "twilio"),
        sms_number=env.get("CARELINE_SMS_NUMBER", "+447700900000" if development else ""),
        sms_account=env.get("CARELINE_SMS_ACCOUNT", "ACsimulated" if development else ""),
        sms_auth_token=values["CARELINE_SMS_AUTH_TOKEN"],
        sms_api_url=env.get("CARELINE_SMS_API_URL", "https://api.twilio.com").rstrip("/"),
        demo_password=values["CARELINE_DEMO_PASSWORD"] if development else "",
        fallback_phone=env.get("CARELINE_FALLBACK_PHONE", ""),
        page_webhook=env.get("CARELINE_PAGE_WEBHOOK", ""),
        missing=tuple(missing),
    )


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process. Tests that change the environment call `settings.cache_clear()`."""
    return load()
