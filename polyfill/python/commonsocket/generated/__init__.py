"""What is generated from the specification; the sources are in spec/socket/."""
