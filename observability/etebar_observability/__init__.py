"""Dashboards as code, service level objectives, and what checks the alerting rules."""
