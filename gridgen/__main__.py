"""`python -m gridgen`, as torchrun starts it."""

from gridgen.cli import main

if __name__ == "__main__":
    main()
