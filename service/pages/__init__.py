"""The pages people work in: rendered by the server, usable without JavaScript, open to whom their calls are open."""
