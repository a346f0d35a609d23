"""The pure core: no AWS, no network."""
