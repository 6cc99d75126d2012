"""`python -m emokit` is `emokit`, which is what `accelerate launch -m emokit …` needs."""

from emokit.cli.app import main

if __name__ == "__main__":
    main()
