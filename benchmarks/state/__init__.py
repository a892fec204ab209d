"""What keeping the windows of many conversations costs: memory, and time to recover them."""
