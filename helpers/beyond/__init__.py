"""What the steps after the sixth add to the lesson's modules, which never import from here."""
