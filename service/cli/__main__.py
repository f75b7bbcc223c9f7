"""`python -m service.cli` is `heed`."""

from service.cli.main import main

main()
