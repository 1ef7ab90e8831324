"""Time and memory of each stage of the main job, beside a bare read and a bare fit."""

if __name__ == "__main__":
    # Not above: each process that is measured reads this file anew, and would import it all.
    from demo_figures import main

    main()
