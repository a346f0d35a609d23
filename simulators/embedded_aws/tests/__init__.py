"""The embedded AWS: it stays on this computer, delivers, retries, and ends."""
