"""What every room uses and the field does not teach: files, numbers, words, kept results."""
