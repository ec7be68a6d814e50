from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def forget(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Delete the summaries; the server computes them anew from the ledger."""
    apps.get_model("gateway", "UsageSummary").objects.all().delete()


class Migration(migrations.Migration):

    dependencies = [
        ("gateway", "0008_doors"),
    ]

    operations = [
        migrations.RunPython(forget, migrations.RunPython.noop),
        migrations.RemoveConstraint(
            model_name="usagesummary",
            name="one_summary_of_span_and_names",
        ),
        migrations.RemoveIndex(
            model_name="usagesummary",
            name="summary_ranking",
        ),
        migrations.AddField(
            model_name="usagesummary",
            name="key_hint",
            field=models.CharField(default="", max_length=24),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="usagesummary",
            name="level",
            field=models.CharField(
                choices=[
                    ("all", "All together"),
                    ("models", "By provider and model"),
                    ("callers", "By caller and key"),
                    ("each", "By all names"),
                ],
                default="",
                max_length=8,
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="usagesummary",
            name="caller_kind",
            field=models.CharField(max_length=16),
        ),
        migrations.AddIndex(
            model_name="usagesummary",
            index=models.Index(
                fields=["span", "level", "starts_at", "provider", "model", "requests"],
                name="summary_ranking",
            ),
        ),
        migrations.AddConstraint(
            model_name="usagesummary",
            constraint=models.UniqueConstraint(
                fields=(
                    "span",
                    "level",
                    "starts_at",
                    "provider",
                    "model",
                    "caller_kind",
                    "caller",
                    "key_hint",
                ),
                name="one_summary_of_level_and_names",
            ),
        ),
    ]
