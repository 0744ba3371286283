"""Exceptions whose text is written for the person at the keyboard."""


class UserError(Exception):
    """Something the user can put right: one sentence that says what is wrong and what to do.

    Commands print the sentence and end with exit status 1; a traceback is never shown for it.
    """


class WriteError(UserError):
    """A file or folder that cannot be written: a full disk, missing rights, a disk that fails."""
