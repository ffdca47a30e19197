"""How fast it is, each figure beside a ceiling measured in the same run on the same servers."""
