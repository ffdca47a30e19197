"""What the mocked payment providers share: a memory that survives kill -9, a fault menu, notices sent until taken."""
