"""From a lesson's folder to its notebooks."""
