-- Least privileges of the user that tap-oracle-wms logs in as. Run as a DBA; replace the names in angle brackets.
-- What each grant buys, and what happens without it: docs/grants/tap.md. The tap checks them: tap-oracle-wms --test-connection.
-- The user writes nothing and locks nothing: every statement it sends is in docs/grants/tap-statements.md.

CREATE USER "<WMS_READER>" IDENTIFIED BY "<password>" QUOTA 0 ON "<USERS>";

-- One session a run, one more per parallel reader of a full sync (setting parallelism). Limit them with a profile:
-- CREATE PROFILE "<WMS_READER_PROFILE>" LIMIT SESSIONS_PER_USER 8; ALTER USER "<WMS_READER>" PROFILE "<WMS_READER_PROFILE>";
GRANT CREATE SESSION TO "<WMS_READER>";

-- The tables. Nothing else is needed for rows.
GRANT SELECT ON "<WMS>"."ALLOCATION" TO "<WMS_READER>";
GRANT SELECT ON "<WMS>"."ORDER_HDR" TO "<WMS_READER>";
GRANT SELECT ON "<WMS>"."ORDER_DTL" TO "<WMS_READER>";
GRANT SELECT ON "<WMS>"."ITEM_MASTER" TO "<WMS_READER>";
GRANT SELECT ON "<WMS>"."LOCATION" TO "<WMS_READER>";

-- Late commits, exactly: who holds a lock on the table, on which instances. The most valuable grant of this script.
GRANT SELECT ON SYS.GV_$LOCK TO "<WMS_READER>";
GRANT SELECT ON SYS.GV_$INSTANCE TO "<WMS_READER>";

-- Late commits of views, and where GV$LOCK is not granted: every open transaction of the database.
GRANT SELECT ON SYS.GV_$TRANSACTION TO "<WMS_READER>";

-- Running statements (mode transactions), and the name of the session that holds a bookmark back.
GRANT SELECT ON SYS.GV_$SESSION TO "<WMS_READER>";

-- The SCN that rows carry (_SDC_SEQUENCE), so that a later reading of a row always wins. Either of the two.
GRANT SELECT ON SYS.V_$DATABASE TO "<WMS_READER>";
-- GRANT EXECUTE ON SYS.DBMS_FLASHBACK TO "<WMS_READER>";

-- wms-ops verify: the source as of one SCN (not needed when the user owns the tables), and LOBs by their hash.
-- GRANT FLASHBACK ON "<WMS>"."ALLOCATION" TO "<WMS_READER>";
-- GRANT FLASHBACK ON "<WMS>"."ORDER_HDR" TO "<WMS_READER>";
-- GRANT FLASHBACK ON "<WMS>"."ORDER_DTL" TO "<WMS_READER>";
-- GRANT EXECUTE ON SYS.DBMS_CRYPTO TO "<WMS_READER>";

-- ROWID ranges for the full sync; without it ranges of the key are read through its index.
GRANT SELECT ON SYS.DBA_EXTENTS TO "<WMS_READER>";

-- What a run cost the source, in the run record; and the undo retention, in the preflight.
GRANT SELECT ON SYS.V_$MYSTAT TO "<WMS_READER>";
GRANT SELECT ON SYS.V_$STATNAME TO "<WMS_READER>";
GRANT SELECT ON SYS.V_$PARAMETER TO "<WMS_READER>";

-- Only on an Active Data Guard standby: how far it is behind.
-- GRANT SELECT ON SYS.V_$DATAGUARD_STATS TO "<WMS_READER>";
