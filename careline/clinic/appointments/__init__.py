"""Appointments: who works when, which slots are free, and one patient for each of them."""
