"""Records what clients of Etebar are told, and proves from that and both databases that no money went astray.

Knows no code of the services: what it knows of them is their HTTP API and the tables that an auditor may read.
"""
