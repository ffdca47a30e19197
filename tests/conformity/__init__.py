"""Our APIs before judges that others wrote."""
