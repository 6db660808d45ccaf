"""What all of them are."""

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """Frozen, and open to what is not known here yet."""

    model_config = ConfigDict(extra="allow", frozen=True)
