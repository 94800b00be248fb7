-- Roles and databases, before any migration; run by psql as a superuser, as often as you like.
-- Passwords come from the environment: WALLET_PASSWORD, WALLET_APP_PASSWORD, SETTLEMENT_PASSWORD,
-- SETTLEMENT_APP_PASSWORD, ETEBAR_AUDIT_PASSWORD. OWNERS_MAY is CREATEDB (sandbox, test) or NOCREATEDB.
-- APP_STATEMENT_TIMEOUT is how long a statement of a role that owns nothing may take, such as 30s; 0 for any time.
\set ON_ERROR_STOP on
\getenv wallet_password WALLET_PASSWORD
\getenv wallet_app_password WALLET_APP_PASSWORD
\getenv settlement_password SETTLEMENT_PASSWORD
\getenv settlement_app_password SETTLEMENT_APP_PASSWORD
\getenv etebar_audit_password ETEBAR_AUDIT_PASSWORD
\getenv owners_may OWNERS_MAY
\getenv app_statement_timeout APP_STATEMENT_TIMEOUT

SELECT format('CREATE ROLE %I', name)
FROM unnest(ARRAY['wallet', 'wallet_app', 'settlement', 'settlement_app', 'etebar_audit']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

ALTER ROLE wallet LOGIN NOSUPERUSER NOCREATEROLE NOBYPASSRLS NOREPLICATION :owners_may PASSWORD :'wallet_password';
ALTER ROLE settlement LOGIN NOSUPERUSER NOCREATEROLE NOBYPASSRLS NOREPLICATION :owners_may PASSWORD :'settlement_password';
ALTER ROLE wallet_app LOGIN NOSUPERUSER NOCREATEROLE NOBYPASSRLS NOREPLICATION NOCREATEDB PASSWORD :'wallet_app_password';
ALTER ROLE settlement_app LOGIN NOSUPERUSER NOCREATEROLE NOBYPASSRLS NOREPLICATION NOCREATEDB PASSWORD :'settlement_app_password';
ALTER ROLE etebar_audit LOGIN NOSUPERUSER NOCREATEROLE NOBYPASSRLS NOREPLICATION NOCREATEDB PASSWORD :'etebar_audit_password';

ALTER ROLE wallet_app SET statement_timeout = :'app_statement_timeout';
ALTER ROLE settlement_app SET statement_timeout = :'app_statement_timeout';
ALTER ROLE etebar_audit SET statement_timeout = :'app_statement_timeout';

SELECT format('CREATE DATABASE %I OWNER %I', database, owner)
FROM (VALUES ('walletdb', 'wallet'), ('settlementdb', 'settlement')) AS wanted (database, owner)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = database)
\gexec

-- Each service's roles reach their own database only; the auditor reads both.
REVOKE ALL ON DATABASE walletdb, settlementdb FROM PUBLIC;
GRANT CONNECT ON DATABASE walletdb TO wallet, wallet_app, etebar_audit;
GRANT CONNECT ON DATABASE settlementdb TO settlement, settlement_app, etebar_audit;
