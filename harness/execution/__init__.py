"""Execute plans: in this process, or as jobs of workers on a cluster or in a local pool."""
