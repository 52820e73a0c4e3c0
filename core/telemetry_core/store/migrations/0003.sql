-- Until when a node is sending a pending report, by the database's clock; from then on any other one may.
ALTER TABLE report ADD COLUMN lease_until BIGINT;
