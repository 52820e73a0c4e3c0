-- The oldest migration whose program can still read what this one has made.
ALTER TABLE migration ADD COLUMN readable_from INTEGER;
