"""One module for each `libra` command; a module calls the services and passes the replies to `render`."""
