"""What goes on by itself: workflows, the processes of an installation, and whether this one can serve."""
