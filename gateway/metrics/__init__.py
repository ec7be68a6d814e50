"""What `/metrics` tells: counted by each worker in memory, summed up over a host."""
