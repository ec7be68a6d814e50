"""The Usage page: what calls came to in a time, by each name that they have."""
