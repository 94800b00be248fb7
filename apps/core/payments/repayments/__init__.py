"""What merchants pay back."""
