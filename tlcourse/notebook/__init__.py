"""What a lesson's page does with its reader: checks, hints, claims, figures, quiz, progress."""
