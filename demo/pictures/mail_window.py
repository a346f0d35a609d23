"""The window that a mail is shown in: plain text, as narrow as on a phone."""

from html import escape

from demo.pictures.shelf import Mail

_STYLE = """
body { margin: 0; background: #fff; color: #1b1f24; font: 13px/1.5 "Liberation Mono", Menlo, Consolas, monospace; }
header { padding: 14px 14px 12px; border-bottom: 1px solid #dedbd5; font: 13px/1.45 system-ui, sans-serif; }
header p { margin: 0; color: #555d66; }
header .subject { margin-bottom: 6px; font-size: 17px; font-weight: 600; line-height: 1.3; color: #1b1f24; }
pre { margin: 0; padding: 14px; font: inherit; white-space: pre-wrap; overflow-wrap: anywhere; }
"""


def mail_window(mail: Mail) -> str:
    """Give the HTML of the window."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><style>{_STYLE}</style>'
        f'<header><p class="subject">{escape(mail.subject)}</p><p>From: Search Coverage</p></header>'
        f"<pre>{escape(mail.text)}</pre></html>"
    )
