"""The venues' WebSockets without their sockets: what is heard and what is said."""
