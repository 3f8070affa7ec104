from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('trading', '0007_advanced_orders'),
    ]

    operations = [
        migrations.AddField(
            model_name='order',
            name='way',
            field=models.JSONField(blank=True, default=dict),
        ),
    ]
