"""Starting up, the commands of an installation, and the demo workspace."""
