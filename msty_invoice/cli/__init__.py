"""`msty-invoice COMMAND`: one file per command."""
