from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

KINDS = [
    ("agent", "Agent"),
    ("workspace", "Workspace key"),
    ("console", "Console"),
    ("local", "This machine"),
]


def forget(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Delete the summaries; the server computes them anew from the ledger."""
    apps.get_model("gateway", "UsageSummary").objects.all().delete()


class Migration(migrations.Migration):

    dependencies = [
        ("gateway", "0003_call_stages"),
    ]

    operations = [
        migrations.RunPython(forget, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="usagerecord",
            name="caller_kind",
            field=models.CharField(choices=KINDS, max_length=16),
        ),
        migrations.RemoveConstraint(
            model_name="usagesummary",
            name="one_summary_per_span_and_names",
        ),
        migrations.AddField(
            model_name="usagesummary",
            name="caller_kind",
            field=models.CharField(default="", max_length=16),
        ),
        migrations.AddConstraint(
            model_name="usagesummary",
            constraint=models.UniqueConstraint(
                fields=(
                    "span",
                    "starts_at",
                    "provider",
                    "model",
                    "caller_kind",
                    "caller",
                ),
                name="one_summary_of_span_and_names",
            ),
        ),
        migrations.AddIndex(
            model_name="usagesummary",
            index=models.Index(
                fields=[
                    "span",
                    "caller_kind",
                    "starts_at",
                    "provider",
                    "model",
                    "requests",
                ],
                name="summary_ranking",
            ),
        ),
    ]
