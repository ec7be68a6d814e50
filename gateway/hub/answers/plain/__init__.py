"""The short way of plain text: from an upstream's bytes to a client's, no objects made.

Nearly all events of a stream hold a piece of text and nothing else. One that was
translated the long way tells how all that are like it become frames.
"""
