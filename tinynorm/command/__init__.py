"""The console commands. ``tinynorm check FILE.py`` goes through these rooms, in this order.

==============  =====================================================================================================
`main`          reads the command line; `load.find_files` finds the files in a folder
`process`       checks a file in a process of its own, with limits (`own_process`); there, `serve` takes the steps that
                follow, and sends each result
`load`          runs the user's file as a module, or the definitions of a notebook; returns its names
`functions`     finds the functions that belong together, and the losses that are forward and backward in one; draws their
                inputs, or takes those that NAME_inputs returns; calls them, and reads what they return
`loops`         takes forward, backward and step apart where they stand in one loop
`layers`        does the same as `functions` for classes
`tensors`       finds an own autograd, a class of tensors, and makes a forward and a backward of each of its operations
`read`          what names and code say, for both
`verdict`       checks the gradients with `gradcheck.check_backward` (`check_pair`), asks more where it finds a mistake
                (`ask_again`), and prints the results as text, JSON or HTML (`print_results`)
==============  =====================================================================================================

`run_code` surrounds the user's code whenever it runs: it catches the prints, and explains the exceptions. `unfinished` says
which exceptions come from a part that is yet to be written. The pytest plugin is `plugin/pytest_tinynorm`.

``tinynorm run FILE.py`` is `run_program`; with ``--missing``, `find_missing`. `notebook` reads notebooks for both.
"""
