"""An appointment as an iCalendar file: when and where, never why."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from icalendar import Alarm, Calendar, Event

from careline.clinic.appointments.models import Appointment
from careline.settings import settings
from careline.texts import text


def calendar(appointment: Appointment, now: datetime) -> bytes:
    """RFC 5545 bytes for one appointment, with a time zone block, so that it stays true across clock changes."""
    known = settings()
    zone = ZoneInfo(appointment.site.zone)
    entry = Event()
    entry.add("uid", f"{appointment.id}@careline")
    entry.add("dtstamp", now)
    entry.add("dtstart", appointment.starts_at.astimezone(zone))
    entry.add("dtend", appointment.ends_at.astimezone(zone))
    entry.add("summary", text("appointments.ical.summary", clinic=known.clinic_name))
    entry.add("location", appointment.site.address or appointment.site.name)
    entry.add("description", text("appointments.ical.description", phone=known.clinic_phone))
    entry.add("class", "PRIVATE")
    entry.add("status", "CANCELLED" if appointment.state == "cancelled" else "CONFIRMED")
    entry.add("sequence", int(appointment.changed_at.timestamp() - appointment.created_at.timestamp()))
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", text("appointments.ical.summary", clinic=known.clinic_name))
    alarm["trigger"] = "-PT2H"
    entry.add_component(alarm)
    whole = Calendar()
    whole.add("prodid", "-//Careline//Appointments//EN")
    whole.add("version", "2.0")
    whole.add("method", "CANCEL" if appointment.state == "cancelled" else "PUBLISH")
    whole.add_component(entry)
    whole.add_missing_timezones()
    return whole.to_ical()
