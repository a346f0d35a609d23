"""The worst days: every call of a report and a sweep goes wrong in every way, storms, outages."""
