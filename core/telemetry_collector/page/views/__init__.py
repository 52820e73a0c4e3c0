"""What each page shows: one module for each."""
