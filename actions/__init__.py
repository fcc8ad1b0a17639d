"""Custom actions: they translate between the dialogue and the rest of the house, one file per conversation."""
