"""What a check found, and how it is told: as text, as HTML, as a dict."""
