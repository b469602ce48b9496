"""What starts the service on one machine for whoever develops it. Nothing else imports this."""
