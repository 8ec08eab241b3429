"""Stand-ins for the platforms we speak to, strict about the platforms' own rules, on a loopback port."""
