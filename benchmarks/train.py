"""Time and memory of training at the sizes where it gets hard, beside one plain fit."""

if __name__ == "__main__":
    # Not above: each process that is measured reads this file anew, and would import it all.
    from train_figures import main

    main()
