"""The root of what the gateway answers."""

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """Root of what the gateway answers."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)
