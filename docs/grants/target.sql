-- Least privileges of the user that target-oracle logs in as. Run as a DBA; replace the names in angle brackets.
-- What each grant buys, and what happens without it: docs/grants/target.md. The target checks them: target-oracle --test-connection.

CREATE USER "<ANALYTICS>" IDENTIFIED BY "<password>"
  DEFAULT TABLESPACE "<USERS>" QUOTA 500G ON "<USERS>";

-- Two sessions a run (the work, and the lease that keeps other runs out), one more per parallel load.
GRANT CREATE SESSION TO "<ANALYTICS>";

-- Target tables, the WMS_LOAD_% tables, and the private load tables. Indexes on own tables need no further privilege.
GRANT CREATE TABLE TO "<ANALYTICS>";

-- Only with the setting current_view.
GRANT CREATE VIEW TO "<ANALYTICS>";

-- Readers (dbt, people): on the tables, after the first full sync; the target takes such grants over when it replaces a table.
-- GRANT SELECT ON "<ANALYTICS>"."WMS_ALLOCATION" TO "<READER>";

-- wms-ops verify, both optional: the warehouse as of one SCN, and LOBs by their hash.
-- GRANT SELECT ON SYS.V_$DATABASE TO "<ANALYTICS>";
-- GRANT EXECUTE ON SYS.DBMS_CRYPTO TO "<ANALYTICS>";

-- Only when the setting schema names another user's schema. Prefer to log in as the owner: these reach every schema.
-- GRANT CREATE ANY TABLE, ALTER ANY TABLE, DROP ANY TABLE, SELECT ANY TABLE, INSERT ANY TABLE, UPDATE ANY TABLE, DELETE ANY TABLE,
--       CREATE ANY INDEX, COMMENT ANY TABLE, LOCK ANY TABLE, GRANT ANY OBJECT PRIVILEGE TO "<LOADER>";
