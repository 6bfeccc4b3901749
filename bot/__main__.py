"""`python -m bot` is `gammabell`."""

from bot.cli import main

if __name__ == "__main__":
    main()
