"""HTTP only: each file holds its shapes above the routes that use them."""
