"""HTTP in: tokens, the proxy to the services, the change feed, the portal's inbound calls, the ops console."""
