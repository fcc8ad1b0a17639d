"""Careline: a virtual nurse at a clinic's front door."""
