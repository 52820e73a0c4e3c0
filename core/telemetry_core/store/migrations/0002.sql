-- The newest reports of an installation are looked up at every run.
CREATE INDEX report_of ON report (installation, kind, created_at);
