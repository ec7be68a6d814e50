"""What each path answers: HTTP in, HTTP out."""
