"""The Responses API on both sides: what comes is passed on as it stands.

Nothing is translated here. A name is put in place of another, the ledger's figures are
read on the way, and what an answer lacks at its end is added.
https://platform.openai.com/docs/api-reference/responses
"""
