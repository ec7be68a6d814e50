from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def mark_failed(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Say of the rows that are there which calls failed."""
    records = apps.get_model("gateway", "UsageRecord").objects
    records.filter(
        models.Q(status__gte=400) | ~models.Q(outcome__in=["ok", "client_closed"])
    ).update(failed=True)


class Migration(migrations.Migration):

    dependencies = [
        ('gateway', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='CallBody',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('call_id', models.CharField(max_length=32, unique=True)),
                ('stored_at', models.DateTimeField(db_index=True)),
                ('asked', models.TextField()),
                ('sent', models.TextField()),
                ('sent_path', models.CharField(blank=True, max_length=2048)),
            ],
            options={
                'verbose_name': 'request body',
                'verbose_name_plural': 'request bodies',
            },
        ),
        migrations.CreateModel(
            name='UsageSummary',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('span', models.CharField(choices=[('hour', 'Hour'), ('6h', 'Six hours'), ('day', 'Day')], max_length=4)),
                ('starts_at', models.DateTimeField()),
                ('provider', models.CharField(max_length=63)),
                ('model', models.CharField(max_length=512)),
                ('caller', models.CharField(max_length=80)),
                ('requests', models.PositiveIntegerField(default=0)),
                ('failed', models.PositiveIntegerField(default=0)),
                ('input_tokens', models.PositiveBigIntegerField(default=0)),
                ('output_tokens', models.PositiveBigIntegerField(default=0)),
                ('cost', models.DecimalField(decimal_places=8, max_digits=20, null=True)),
                ('priced', models.PositiveIntegerField(default=0)),
                ('durations', models.TextField(default='{}')),
                ('first_bytes', models.TextField(default='{}')),
            ],
            options={
                'verbose_name': 'usage summary',
                'verbose_name_plural': 'usage summaries',
            },
        ),
        migrations.AddField(
            model_name='usagerecord',
            name='failed',
            field=models.BooleanField(default=False, verbose_name='failed'),
        ),
        migrations.RunPython(mark_failed, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='usagerecord',
            index=models.Index(fields=['outcome', '-started_at', '-id'], name='usage_ended'),
        ),
        migrations.AddIndex(
            model_name='usagerecord',
            index=models.Index(condition=models.Q(('failed', True)), fields=['-started_at', '-id'], name='usage_failed'),
        ),
        migrations.AddConstraint(
            model_name='usagesummary',
            constraint=models.UniqueConstraint(fields=('span', 'starts_at', 'provider', 'model', 'caller'), name='one_summary_per_span_and_names'),
        ),
    ]
