"""The nightly job on a million leads: wall time, memory, and the share of each stage."""

if __name__ == "__main__":
    # Not above: each process that is measured reads this file anew, and would import it all.
    from score_figures import main

    main()
