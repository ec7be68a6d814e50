"""The usage ledger: written by the request, stored and summed up by chores."""
