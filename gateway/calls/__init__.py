"""One call: who serves it, asked in order, and what becomes of the answer."""
