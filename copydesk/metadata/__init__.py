"""What the text says of itself: dates, datelines, names, tags, language."""
