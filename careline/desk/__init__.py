"""The clinicians' desk: the queue, the case, the chat, the day, and the audit log, rendered on the server."""
