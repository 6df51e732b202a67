"""From a call to its result: the check, the questions after it, the file's own words, and the printed page."""
