"""The page of a report in a real Chromium: read, used by mouse and keyboard, printed, checked for accessibility."""
