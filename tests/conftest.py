"""What every test may ask for: the run's PostgreSQL and RabbitMQ, and a slice of each for the mechanics."""

pytest_plugins = ["tests.support.servers"]
