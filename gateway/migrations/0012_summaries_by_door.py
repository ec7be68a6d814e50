from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def forget(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Delete the summaries; the server computes them anew from the ledger."""
    apps.get_model("gateway", "UsageSummary").objects.all().delete()


class Migration(migrations.Migration):

    dependencies = [
        ('gateway', '0011_agents_and_purposes'),
    ]

    operations = [
        migrations.RunPython(forget, migrations.RunPython.noop),
        migrations.RemoveConstraint(
            model_name='usagesummary',
            name='one_summary_of_level_and_names',
        ),
        migrations.AddField(
            model_name='usagesummary',
            name='door',
            field=models.CharField(default='', max_length=16),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name='usagesummary',
            name='level',
            field=models.CharField(choices=[('all', 'All together'), ('doors', 'By door'), ('models', 'By provider and model'), ('callers', 'By caller and key'), ('each', 'By all names')], max_length=8),
        ),
        migrations.AddConstraint(
            model_name='usagesummary',
            constraint=models.UniqueConstraint(fields=('span', 'level', 'starts_at', 'provider', 'model', 'caller_kind', 'caller', 'key_hint', 'door'), name='one_summary_of_level_and_names'),
        ),
    ]
