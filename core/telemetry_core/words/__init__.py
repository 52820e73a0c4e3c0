"""What is known, said in words for people: names and values, the same on the command line and on the page."""
