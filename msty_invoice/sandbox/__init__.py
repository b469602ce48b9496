"""River at another base URL: a process that speaks its HTTP and moves no money."""
