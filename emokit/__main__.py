"""`python -m emokit` is `emokit`."""

from emokit.cli.app import main

if __name__ == "__main__":
    main()
