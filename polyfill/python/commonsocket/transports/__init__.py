"""The transports: how bytes travel, one file per way."""
