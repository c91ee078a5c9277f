"""Drawing: a function here draws, or draws and returns a value. Rules live in `services`."""
