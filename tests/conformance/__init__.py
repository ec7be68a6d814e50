"""Whether the whole server keeps what the documentation promises of every provider."""
