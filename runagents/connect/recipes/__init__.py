"""How each client is told of the gateway: a client is one row in these modules.

A row's template holds `$base`, `$key` and `$model`, the latter quoted as the row says;
`$name` is the model behind the row's `prefix`, quoted, too. To add a client, add a row;
what its door answers must be served, see gateway/doors.
"""

from runagents.connect.recipes import coding_agents, own_code, sdks, vectors
from runagents.connect.recipes.recipe import GROUPS, Recipe

__all__ = ["GROUPS", "RECIPES", "Recipe"]

RECIPES: dict[str, Recipe] = {
    **own_code.RECIPES,
    **sdks.RECIPES,
    **vectors.RECIPES,
    **coding_agents.RECIPES,
}
