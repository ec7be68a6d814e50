"""What programs may ask this server for: one document, and a page that shows it."""
