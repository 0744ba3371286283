"""The studio: a server of edits and the page that shows them. Nothing here trains, or reads data sets."""
