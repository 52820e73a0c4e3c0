"""The receiving service: takes reports over HTTP, keeps each once and durably, and gives them out again."""
