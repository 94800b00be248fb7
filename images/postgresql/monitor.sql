-- Who may read the server's statistics, and no table: the exporter beside it, which comes in by the socket alone.
\set ON_ERROR_STOP on
SELECT 'CREATE ROLE etebar_monitor' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'etebar_monitor')
\gexec
ALTER ROLE etebar_monitor LOGIN NOSUPERUSER NOCREATEROLE NOBYPASSRLS NOREPLICATION NOCREATEDB CONNECTION LIMIT 5;
ALTER ROLE etebar_monitor SET statement_timeout = '5s';
GRANT pg_monitor TO etebar_monitor;
GRANT CONNECT ON DATABASE walletdb, settlementdb TO etebar_monitor;
