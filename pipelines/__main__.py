"""``python -m leadlight.pipelines`` is the command ``leadlight``."""

from .cli import main

if __name__ == "__main__":
    main()
