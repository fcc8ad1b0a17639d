"""Medications: directions understood or asked about, doses as rows, reminders that name their dose."""
