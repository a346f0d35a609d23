"""The two Lambda entry points: parse the event, call the use case, return what was done."""
