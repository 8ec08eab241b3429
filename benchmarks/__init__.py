"""Every goal of the README measured beside its peer, in the same run on the same machine."""
