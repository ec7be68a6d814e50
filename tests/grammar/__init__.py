"""What a stream of a client's format must look like, whoever wrote it."""
