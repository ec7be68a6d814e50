"""What calls said, where that is kept: cut by the call, redacted by the flusher."""
