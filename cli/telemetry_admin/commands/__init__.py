"""One module per command, named like it; each has a function `command` that returns a `Result`."""
