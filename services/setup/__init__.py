"""Starting up, the commands of an installation, the demo workspace, and the builder of its rows."""
