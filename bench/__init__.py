"""The benchmark: measures Tidegate and its peers at the same job."""
