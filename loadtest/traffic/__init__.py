"""What locust's users do, a module for each mix; `EXPOSED` are the classes that the locustfile shows to locust."""
