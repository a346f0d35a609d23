"""The pages in a real Chromium: read, used by mouse and keyboard, printed, checked for accessibility."""
