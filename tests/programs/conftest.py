collect_ignore_glob = ["[0-9]*.py"]  # the programs: they are run, not imported
