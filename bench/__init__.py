"""What Rowlock does in a second, against references taken in the same run: `make bench`."""
