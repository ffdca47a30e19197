"""The local stack: private PostgreSQL and RabbitMQ, every process under one supervisor, all under `.run/`."""
