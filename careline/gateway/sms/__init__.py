"""The SMS channel: the provider's webhook, keywords, bodies, and the way out."""
