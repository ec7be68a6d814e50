"""Programs that speak for themselves."""

from django.utils.translation import gettext_lazy as _

from runagents.connect.recipes.recipe import CODE, Recipe

RECIPES: dict[str, Recipe] = {
    "curl": Recipe("curl", CODE, example="curl"),
    "python": Recipe("Python", CODE, example="python"),
    "typescript": Recipe(
        "TypeScript, JavaScript",
        CODE,
        template="""\
const response = await fetch("$base/v1/chat/completions", {
  method: "POST",
  headers: {
    "Content-Type": "application/json",
    Authorization: "Bearer $key",
  },
  body: JSON.stringify({
    model: $model,
    messages: [{ role: "user", content: "Hello" }],
  }),
});
if (!response.ok) throw new Error(await response.text());
const answer = await response.json();
console.log(answer.choices[0].message.content);
""",
    ),
    "environment": Recipe(_("Environment variables"), CODE, example="env"),
}
