"""What a run found, shown: text and JSON reports."""
