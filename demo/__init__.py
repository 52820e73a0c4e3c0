"""The demonstration: the product's own commands on a real engine, from status to history."""
