"""The onboarding operator: brings core to what Kubernetes objects wish, and tells in their status how it is."""
