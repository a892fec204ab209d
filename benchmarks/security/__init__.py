"""What hostile input costs."""
