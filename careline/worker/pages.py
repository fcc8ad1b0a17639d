"""Paging staff by e-mail or webhook. A page says that somebody is needed and where to look, never about whom."""

from __future__ import annotations

import os
import smtplib
from email.message import EmailMessage

import httpx

from careline.gateway.sms.sender import TransportError
from careline.texts import text

TIMEOUT_SECONDS = 10.0


def send_page(channel: str, to: str, words: str) -> None:
    """Send one page. TransportError when it was not taken."""
    try:
        if channel == "email":
            _email(to, words)
        elif channel == "webhook":
            httpx.post(to, json={"text": words}, timeout=TIMEOUT_SECONDS, follow_redirects=False).raise_for_status()
        else:
            raise TransportError(f"unknown channel {channel}", permanent=True)
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        raise TransportError(f"status {status}", permanent=400 <= status < 500 and status != 429) from error
    except (OSError, smtplib.SMTPException, httpx.HTTPError) as error:
        raise TransportError(type(error).__name__, permanent=False) from error


def _email(to: str, words: str) -> None:
    host = os.environ.get("CARELINE_SMTP_HOST", "")
    if not host:
        raise TransportError("CARELINE_SMTP_HOST is not set", permanent=True)
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = text("page.subject"), os.environ.get("CARELINE_SMTP_FROM", to), to
    mail.set_content(words)
    with smtplib.SMTP(host, int(os.environ.get("CARELINE_SMTP_PORT", "25")), timeout=TIMEOUT_SECONDS) as server:
        server.send_message(mail)
