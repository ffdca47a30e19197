"""A whole province made up from the real catalogue: to see and measure the system at the size it must hold."""
