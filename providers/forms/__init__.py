"""What may be typed about a provider, and the forms that ask for it."""
