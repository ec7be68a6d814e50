from typing import Any

from django.db import migrations, models


def know_the_starter(apps: Any, _schema_editor: Any) -> None:
    """Hello World asks the echo tool; of other agents nobody noted what they ask."""
    agents = apps.get_model("agents", "Agent").objects.filter(builtin="hello-world")
    agents.update(tools=["echo-tool"])


class Migration(migrations.Migration):

    dependencies = [
        ("agents", "0003_key_reach_and_pause"),
    ]

    operations = [
        migrations.AddField(
            model_name="agent",
            name="tools",
            field=models.JSONField(blank=True, default=list, editable=False),
        ),
        migrations.AddField(
            model_name="wire",
            name="variable",
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.RunPython(know_the_starter, migrations.RunPython.noop),
    ]
