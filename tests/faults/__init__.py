"""Fault tests: every call of a report and a sweep fails in every way; many search jobs at once; outages."""
