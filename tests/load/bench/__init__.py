"""`bin/bench`: how many invoices a second, and what each of them costs."""
