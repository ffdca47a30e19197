"""`motcua catalogue` and `motcua agencies`: bringing in what the nation publishes."""
