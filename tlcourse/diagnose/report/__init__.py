"""The report of a diagnosis: its numbers and verdicts, and how they are told and drawn."""
