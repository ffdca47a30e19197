"""The ministries and other offices behind the data services, mocked: definitions, one process that answers for all."""
